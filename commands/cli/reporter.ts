/** What goes to stderr while a command works: steps, warnings, and a status that redraws itself. @module */

import type { Context, Output } from './context.ts';
import { type ColorChoice, type Style, styleFor } from './style.ts';

interface Verbosity {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: ColorChoice;
}

export class Reporter {
  readonly style: Style;
  readonly #output: Output;
  readonly #quiet: boolean;
  readonly #verbose: boolean;
  #drawn: readonly string[] = [];

  constructor(context: Context, options: Verbosity) {
    this.#output = context.stderr;
    this.#quiet = options.quiet === true;
    this.#verbose = options.verbose === true;
    this.style = styleFor(context.stderr, options.color, context.env);
  }

  /** Whether explanations are wanted. */
  get verbose(): boolean {
    return this.#verbose;
  }

  /** True when a status that redraws itself makes sense: a terminal that was not asked to be quiet. */
  get live(): boolean {
    return this.#output.isTTY && !this.#quiet;
  }
  get columns(): number {
    return this.#output.columns;
  }

  /** A step that is worth a line; silent with `--quiet`. */
  step(message: string): void {
    if (!this.#quiet) this.#line(message);
  }
  /** Something is odd and work goes on; silent with `--quiet`. */
  warn(message: string): void {
    if (!this.#quiet) this.#line(`${this.style.yellow('warning:')} ${message}`);
  }
  /** An explanation, with `--verbose` only. */
  explain(message: string): void {
    if (this.#verbose) this.#line(this.style.dim(message));
  }

  /** Replaces the lines drawn before. No-op unless {@link live}. */
  status(lines: readonly string[]): void {
    if (!this.live) return;
    this.#output.write(`${this.#erase()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawn = lines;
  }

  /** Runs `write` with the status out of the way and puts it back afterwards. */
  above(write: () => void): void {
    const drawn = this.#drawn;
    if (drawn.length > 0) this.#output.write(this.#erase());
    this.#drawn = [];
    write();
    if (drawn.length > 0) this.status(drawn);
  }

  /** Leaves the last status on the screen; what follows stands below it. */
  close(): void {
    this.#drawn = [];
  }

  #line(text: string): void {
    this.above(() => this.#output.write(`${text}\n`));
  }
  /** Moves up over the drawn lines and clears to the end of the screen (ECMA-48 CUU, ED). */
  #erase(): string {
    return this.#drawn.length === 0 ? '' : `\u001b[${this.#drawn.length}A\r\u001b[J`;
  }
}
