/** Packets from their parts, and what they are read as. @module */

import { ProtocolError } from '../../../src/base/errors.ts';
import {
  decodeMessage,
  type KrpcError,
  type KrpcMessage,
  type KrpcQuery,
  type KrpcResponse,
} from '../../../src/dht/krpc/index.ts';
import { bytes } from '../../bencode/values.ts';

/** Ids as the examples of BEP 5 have them. */
export const ID = 'abcdefghij0123456789';
export const HASH = 'mnopqrstuvwxyz123456';
/** The first of all arguments and values. */
export const ARGS_ID: string = `2:id20:${ID}`;

/** The message in a packet of Latin-1. */
export const read = (packet: string): KrpcMessage => decodeMessage(bytes(packet));
/** A query with the arguments `args`. */
export const query = (method: string, args: string): string =>
  `d1:ad${args}e1:q${method.length}:${method}1:t2:aa1:y1:qe`;
/** A response with these values behind its id. */
export const response = (returned: string): string => `d1:rd${ARGS_ID}${returned}e1:t2:aa1:y1:re`;

/** @throws when it is something else. */
export function readQuery(packet: string): KrpcQuery {
  const message = read(packet);
  if (message.type !== 'query') throw new Error(`is ${JSON.stringify(message)}`);
  return message;
}

/** @throws when it is something else. */
export function readResponse(packet: string): KrpcResponse {
  const message = read(packet);
  if (message.type !== 'response') throw new Error(`is a ${message.type}`);
  return message;
}

/** @throws when it is something else. */
export function readError(packet: string): KrpcError {
  const message = read(packet);
  if (message.type !== 'error') throw new Error(`is a ${message.type}`);
  return message;
}

/** Why a packet is no message. @throws when it is one. */
export function refusal(packet: Uint8Array): ProtocolError {
  try {
    decodeMessage(packet);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('is taken');
}
