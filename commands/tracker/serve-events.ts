/** What `tracker serve` tells while it runs. @module */

/** Numbers of the whole tracker, all workers together. */
export interface TrackerNumbers {
  readonly swarms: number;
  readonly seeders: number;
  readonly leechers: number;
  /** Since the start. */
  readonly announces: number;
  readonly announcesPerSecond: number;
  readonly scrapes: number;
  readonly refused: number;
  readonly elapsedMs: number;
}

export type ServeEvent =
  | {
      readonly type: 'listening';
      /** Where clients announce to; in private mode with `PASSKEY` where theirs is to stand. */
      readonly announce: readonly string[];
      /** The status page. */
      readonly stats?: string;
      readonly workers: number;
      /** What the state file had. */
      readonly restored?: { readonly swarms: number; readonly peers: number };
    }
  | ({ readonly type: 'numbers' } & TrackerNumbers)
  | {
      readonly type: 'announce';
      readonly event: 'announce' | 'started' | 'completed' | 'stopped';
      readonly infoHash: string;
      readonly peer: string;
      readonly seeding: boolean;
      readonly transport: 'http' | 'udp';
      /** Why it was not taken. */
      readonly refused?: string;
    }
  /** So many announces were left out, for a reader of stdout that is too slow. */
  | { readonly type: 'untold'; readonly announces: number }
  | { readonly type: 'reloaded' }
  | { readonly type: 'reload-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'store'; readonly up: boolean; readonly reason?: string }
  | {
      readonly type: 'saved';
      readonly path: string;
      readonly swarms: number;
      readonly peers: number;
    }
  | { readonly type: 'save-failed'; readonly code: string; readonly message: string }
  /** For the first time, connections over HTTP have to give their place to others. */
  | { readonly type: 'crowded' }
  | ({ readonly type: 'end' } & TrackerNumbers);
