import { describe } from 'vitest';
import { lookupCompliance } from './lookup.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('lookup of $name', (place) => {
  lookupCompliance(place);
});
