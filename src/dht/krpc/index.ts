/** KRPC, the messages of the DHT: BEP 5 with the keys of BEP 32, 33, 42, 43, 44 and 51. @module */

export { decodeMessage, MAX_PACKET_BYTES } from './decode.ts';
export { KrpcWriter, MAX_SENT_BYTES } from './encode.ts';
export {
  KRPC_ERROR,
  type KrpcError,
  type KrpcMalformed,
  type KrpcMessage,
  type KrpcQuery,
  type KrpcResponse,
  MAX_ERROR_CHARACTERS,
  MAX_TOKEN_BYTES,
  MAX_TRANSACTION_BYTES,
  type QueryArguments,
  type Want,
} from './model.ts';
