#!/usr/bin/env node
/** The executable: the real world, the arguments, the exit code. @module */

import { main } from '../commands/cli/main.ts';
import { nodeRuntime } from '../src/runtime/node/index.ts';
import { processContext } from './process-context.ts';

/** Put in by scripts/build.mjs. */
declare const BIP_VERSION: string | undefined;

const version = typeof BIP_VERSION === 'string' ? BIP_VERSION : '0.0.0-source';
const runtime = nodeRuntime({ userAgent: `bip/${version}` });
const { context, exit } = processContext(runtime);
const exitCode = await main(context, process.argv.slice(2), version);
await runtime[Symbol.asyncDispose]();
await exit(exitCode);
