import { describe } from 'vitest';
import { PLACES } from './place.ts';
import { streamsCompliance } from './streams.compliance.ts';

describe.each(PLACES)('streams of $name', (place) => {
  streamsCompliance(place);
});
