import { describe } from 'vitest';
import { PLACES } from './place.ts';
import { webSocketsCompliance } from './web-sockets.compliance.ts';

describe.each(PLACES)('WebSockets of $name', (place) => {
  webSocketsCompliance(place);
});
