declare module 'bencode' {
  type Decoded = number | Uint8Array | readonly Decoded[] | { readonly [key: string]: Decoded };
  const bencode: {
    decode(bytes: Uint8Array): Decoded;
    encode(value: unknown): Uint8Array;
  };
  export default bencode;
}
