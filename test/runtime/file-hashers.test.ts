import { describe } from 'vitest';
import { fileHashersCompliance } from './file-hashers.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('file hashers of $name', (place) => {
  fileHashersCompliance(place);
});
