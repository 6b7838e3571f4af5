/** A program under test: started, watched, and surely ended. @module */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { until } from './until.ts';

const SETPRIV = '/usr/bin/setpriv';
const NOBODY = '65534';
/** How long a program may take to end by itself before it is killed. */
const GRACE_MS = 3_000;
const LOG_TAIL = 4_000;

export interface Exit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Give up root before the program starts, where there is root to give up. */
  readonly unprivileged?: boolean;
  /** How disposal asks the program to end. Default `SIGTERM`; `eof` closes its stdin. */
  readonly stopBy?: 'SIGTERM' | 'eof';
}

/** A running program. Dies with this process, however that ends, where Linux can promise it. */
export class Child implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #stopBy: 'SIGTERM' | 'eof';
  readonly #ended: Promise<Exit>;
  #exit: Exit | undefined;
  #stdout = '';
  #stderr = '';

  constructor(argv: readonly string[], options: ChildOptions = {}) {
    this.name = (argv[0] ?? '').split('/').pop() ?? '';
    this.#stopBy = options.stopBy ?? 'SIGTERM';
    const [program = '', ...args] = [...guard(options), ...argv];
    this.#process = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#process.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const settle = (exit: Exit): void => {
        this.#exit ??= exit;
        resolve(this.#exit);
      };
      this.#process.on('error', (error) => {
        this.#stderr += `${error.message}\n`;
        settle({ code: 127, signal: undefined });
      });
      this.#process.on('close', (code, signal) => {
        settle({ code: code ?? undefined, signal: signal ?? undefined });
      });
    });
  }

  /** How it ended; `undefined` while it runs. Its output is complete by then. */
  get exit(): Exit | undefined {
    return this.#exit;
  }
  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }
  /** Whole lines of stdout so far. */
  get lines(): readonly string[] {
    return this.#stdout.split('\n').slice(0, -1);
  }
  get log(): string {
    return `${this.name} stdout:\n${tail(this.#stdout)}\n${this.name} stderr:\n${tail(this.#stderr)}`;
  }
  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Gives it text on its stdin. */
  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** @throws {Error} when it still runs after `deadlineMs`. */
  ended(deadlineMs: number): Promise<Exit> {
    return until(() => this.#exit, {
      deadlineMs,
      what: `the end of ${this.name}`,
      log: () => this.log,
    });
  }

  /** {@link until}, but hopeless once the program has ended; `log` adds a log kept elsewhere. */
  until<T>(
    condition: () => T | false | undefined | Promise<T | false | undefined>,
    options: { readonly deadlineMs: number; readonly what: string; readonly log?: () => string },
  ): Promise<T> {
    return until(condition, {
      deadlineMs: options.deadlineMs,
      what: options.what,
      log: () => `${this.log}\n${options.log?.() ?? ''}`,
      hopeless: () =>
        this.#exit === undefined
          ? undefined
          : `${this.name} ended with ${this.#exit.code ?? this.#exit.signal}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit !== undefined) return;
    this.#process.stdin?.end();
    if (this.#stopBy === 'SIGTERM') this.#process.kill('SIGTERM');
    const killer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
    await this.#ended;
    clearTimeout(killer);
  }
}

/** The words in front of a command that tie it to the life of this process. */
function guard(options: ChildOptions): readonly string[] {
  if (!existsSync(SETPRIV)) return [];
  const identity = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'];
  const root = process.getuid?.() === 0;
  // The kernel forgets the death signal when a program changes its user, as opentracker run by
  // root would: so the user is changed first.
  const drop = options.unprivileged === true && root ? identity : [];
  return [SETPRIV, ...drop, '--pdeathsig', 'KILL'];
}

function tail(text: string): string {
  return text.length > LOG_TAIL ? `…${text.slice(-LOG_TAIL)}` : text;
}
