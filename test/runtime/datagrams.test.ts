import { describe } from 'vitest';
import { datagramsCompliance } from './datagrams.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('datagrams of $name', (place) => {
  datagramsCompliance(place);
});
