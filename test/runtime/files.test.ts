import { describe } from 'vitest';
import { filesCompliance } from './files.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('files of $name', (place) => {
  filesCompliance(place);
});
