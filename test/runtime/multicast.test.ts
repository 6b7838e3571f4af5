import { describe } from 'vitest';
import { multicastCompliance } from './multicast.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('multicast of $name', (place) => {
  multicastCompliance(place);
});
