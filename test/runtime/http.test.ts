import { describe } from 'vitest';
import { httpCompliance } from './http.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('http of $name', (place) => {
  httpCompliance(place);
});
