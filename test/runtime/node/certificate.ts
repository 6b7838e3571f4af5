/**
 * A certificate for 127.0.0.1 and localhost, signed by itself, from 2020 to 2120, and its key. They were
 * made for these tests with OpenSSL (`openssl ca -selfsign`) and prove nothing to anybody else.
 *
 * @module
 */

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgm2zSPvTVvUrP5s2J
JMXkXYxzIbsz0sSxiIsGd6ccsAWhRANCAASJVMIs0f7V5ry0QoZxe1yoAgv3h7CZ
LYliyUj7j0m38K/8hw5nbMWlnY3Fre25mW3ZKQsCfI55cT5xpdCS62AT
-----END PRIVATE KEY-----
`;

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIBATAKBggqhkjOPQQDAjAiMQwwCgYDVQQKDANiaXAxEjAQ
BgNVBAMMCWJpcCB0ZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw
MFowIjEMMAoGA1UECgwDYmlwMRIwEAYDVQQDDAliaXAgdGVzdHMwWTATBgcqhkjO
PQIBBggqhkjOPQMBBwNCAASJVMIs0f7V5ry0QoZxe1yoAgv3h7CZLYliyUj7j0m3
8K/8hw5nbMWlnY3Fre25mW3ZKQsCfI55cT5xpdCS62ATo04wTDAPBgNVHRMBAf8E
BTADAQH/MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAdBgNVHQ4EFgQUypaw
bwouR6CdXr9xa/SUtlYR3NUwCgYIKoZIzj0EAwIDRwAwRAIgPkMeZai5HawxGQ3h
XcFt9FBLoIG93bgsn/dsYaUiRokCIHMiYGlTXuh5Rh7pRKBKJP1c3A/96jd3PrIV
LxG9QHvJ
-----END CERTIFICATE-----
`;

/** When it ends: milliseconds since 1970. */
export const VALID_UNTIL: number = Date.UTC(2120, 0, 1);
