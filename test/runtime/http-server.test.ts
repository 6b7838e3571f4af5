import { describe } from 'vitest';
import { httpServerCompliance } from './http-server.compliance.ts';
import { PLACES } from './place.ts';

describe.each(PLACES)('http server of $name', (place) => {
  httpServerCompliance(place);
});
