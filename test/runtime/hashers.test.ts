import { describe } from 'vitest';
import { hashersCompliance } from './hashers.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('hashers of $name', (place) => {
  hashersCompliance(place);
});
