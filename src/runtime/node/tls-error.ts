/** What may be wrong with a certificate, in words. @module */

const REASONS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet; is the clock right?'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is signed by an authority nobody knows'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is signed by an authority nobody knows'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate is signed by an authority nobody knows'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate is signed by an authority nobody knows'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['EPROTO', 'it does not speak TLS'],
]);

/** True for failures of the secured connection rather than of the connection under it. */
export function isTlsFailure(code: string | undefined): boolean {
  if (code === undefined) return false;
  return REASONS.has(code) || /^(?:ERR_SSL_|ERR_TLS_|CERT_)/.test(code);
}

export function tlsReason(code: string | undefined): string {
  const reason = REASONS.get(code ?? '');
  if (reason !== undefined) return reason;
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
    ? 'it does not speak TLS'
    : `the secured connection failed (${code ?? 'no reason given'})`;
}
