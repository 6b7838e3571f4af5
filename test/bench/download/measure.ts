/** What runs a program and asks the kernel what it took. @module */

import { join } from 'node:path';

/** `measure.py OUT COMMAND…` */
export const MEASURE: string = join(import.meta.dirname, 'measure.py');
