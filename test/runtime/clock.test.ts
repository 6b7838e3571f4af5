import { describe } from 'vitest';
import { clockCompliance } from './clock.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('clock and random of $name', (place) => {
  clockCompliance(place);
});
