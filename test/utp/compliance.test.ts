import { describe } from 'vitest';
import { PLACES } from '../runtime/place.ts';
import { streamsCompliance } from '../runtime/streams.compliance.ts';
import { socketCompliance } from './socket.compliance.ts';
import { UTP_PLACES } from './utp-place.ts';

describe.each(UTP_PLACES)('streams of uTP on $name', (place) => {
  streamsCompliance(place);
});

describe.each(PLACES)('sockets of uTP on $name', (place) => {
  socketCompliance(place);
});
