/** `bip dht`: the Mainline DHT, asked and written to. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { announceCommand } from './announce.ts';
import { crawlCommand } from './crawl.ts';
import { getCommand } from './get.ts';
import { lookupCommand } from './lookup.ts';
import { pingCommand } from './ping.ts';
import { putCommand } from './put.ts';
import { sampleCommand } from './sample.ts';
import { scrapeCommand } from './scrape.ts';
import { serveCommand } from './serve.ts';

export function registerDht(program: Command, context: Context): void {
  program.addCommand(
    new Command('dht')
      .description('ask the DHT for peers and items, store them there, be a node of it')
      .addCommand(lookupCommand(context))
      .addCommand(announceCommand(context))
      .addCommand(pingCommand(context))
      .addCommand(getCommand(context))
      .addCommand(putCommand(context))
      .addCommand(scrapeCommand(context))
      .addCommand(sampleCommand(context))
      .addCommand(crawlCommand(context))
      .addCommand(serveCommand(context, program.version() ?? '')),
  );
}
