import { describe } from 'vitest';
import { streamsCompliance } from '../runtime/streams.compliance.ts';
import { UTP_PLACES } from './utp-place.ts';

describe.each(UTP_PLACES)('streams of uTP on $name', (place) => {
  streamsCompliance(place);
});
