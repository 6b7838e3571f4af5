import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/bencode/index.ts';
import { MAX_ERROR_CHARACTERS } from '../../../src/dht/krpc/index.ts';
import { MAX_INTERVAL_SECONDS } from '../../../src/dht/krpc/response.ts';
import { bytes, latin1 } from '../../bencode/values.ts';
import { ARGS_ID, ID, read, readError, readResponse, response } from './packets.ts';

describe('responses: what is not right is left out', () => {
  test.each([
    ['5:nodesi1e', {}],
    ['5:nodes0:', { nodes: bytes('') }],
    ['5:nodes25:'.concat('n'.repeat(25)), { nodes: bytes('') }],
    ['5:nodes26:'.concat('n'.repeat(26)), { nodes: bytes('n'.repeat(26)) }],
    ['5:nodes53:'.concat('n'.repeat(53)), { nodes: bytes('n'.repeat(52)) }],
    ['6:nodes637:'.concat('n'.repeat(37)), { nodes6: bytes('') }],
    ['6:nodes677:'.concat('n'.repeat(77)), { nodes6: bytes('n'.repeat(76)) }],
    ['7:samples41:'.concat('s'.repeat(41)), { samples: bytes('s'.repeat(40)) }],
    ['6:values6:abcdef', {}],
    ['6:valuesde', {}],
    ['6:valuesle', { values: [] }],
    ['6:valuesl5:abcde6:abcdefi7el6:abcdefed6:abcdef0:ee', { values: [bytes('abcdef')] }],
    ['6:valuesl17:'.concat('v'.repeat(17), '0:e'), { values: [] }],
    ['6:valuesl18:'.concat('v'.repeat(18), 'e'), { values: [bytes('v'.repeat(18))] }],
    ['5:token0:', {}],
    ['5:tokeni5e', {}],
    ['4:BFsd255:'.concat('b'.repeat(255)), {}],
    ['4:BFpe257:'.concat('b'.repeat(257)), {}],
    ['1:k31:'.concat('k'.repeat(31)), {}],
    ['3:sig65:'.concat('s'.repeat(65)), {}],
    ['3:numi-1e', {}],
    ['3:numi-0e', { sampleTotal: 0 }],
    ['3:num1:1', {}],
    ['3:seqi9223372036854775808e', {}],
    ['8:intervali-1e', {}],
    ['8:intervali21600e', { intervalSeconds: MAX_INTERVAL_SECONDS }],
    ['8:intervali21601e', { intervalSeconds: MAX_INTERVAL_SECONDS }],
    ['1:pi6881e', {}],
  ])('%s', (returned, expected) => {
    expect(readResponse(response(returned))).toEqual({
      type: 'response',
      transaction: bytes('aa'),
      id: bytes(ID),
      ...expected,
    });
  });

  test.each([
    ['6:\x01\x02\x03\x04\x1a\xe1', { host: '1.2.3.4', port: 6881 }],
    ['6:\x01\x02\x03\x04\0\0', { host: '1.2.3.4', port: 0 }],
    [`18:\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x1a\xe1`, { host: '2001:db8::1', port: 6881 }],
    ['4:\x01\x02\x03\x04', undefined],
    [`16:${'\0'.repeat(16)}`, undefined],
    ['0:', undefined],
    ['i5e', undefined],
  ])('ip of %j (BEP 42)', (ip, externalAddress) => {
    const answer = `d2:ip${ip}1:rd${ARGS_ID}e1:t2:aa1:y1:re`;
    expect(readResponse(answer).externalAddress).toEqual(externalAddress);
    const error = `d1:eli201e0:e2:ip${ip}1:t2:aa1:y1:ee`;
    expect(readError(error).externalAddress).toEqual(externalAddress);
  });
});

describe('errors, whatever their shape', () => {
  test.each([
    ['li203e9:bad tokene', 203, 'bad token'],
    ['l9:bad tokeni203ee', 203, 'bad token'],
    ['li203ee', 203, ''],
    ['l9:bad tokene', 201, 'bad token'],
    ['lleli203eedee', 201, ''],
    ['le', 201, ''],
    ['de', 201, ''],
    ['9:bad token', 201, ''],
    ['i203e', 201, ''],
    [`li${'9'.repeat(30)}e2:hie`, 201, 'hi'],
    ['li-1e2:hie', -1, 'hi'],
  ])('%s', (list, code, message) => {
    expect(read(`d1:e${list}1:t2:aa1:y1:ee`)).toEqual({
      type: 'error',
      transaction: bytes('aa'),
      code,
      message,
    });
  });

  test('without any list', () => {
    expect(readError('d1:t2:aa1:y1:ee')).toMatchObject({ code: 201, message: '' });
  });

  const messageOf = (text: Uint8Array): string =>
    readError(latin1(encode({ e: [201, text], t: 'aa', y: 'e' }))).message;

  test('the text is one line without control and direction characters', () => {
    const text = '\u{1b}[31m a\0b\r\n\tc\u{202e}d\u{200b} 𝄞ä ';
    expect(messageOf(new TextEncoder().encode(text))).toBe('[31m a b c d 𝄞ä');
    expect(messageOf(bytes('\xff\xfe ok'))).toBe('\ufffd\ufffd ok');
  });

  test.each([
    [MAX_ERROR_CHARACTERS, MAX_ERROR_CHARACTERS],
    [MAX_ERROR_CHARACTERS + 1, MAX_ERROR_CHARACTERS],
  ])('of %i characters %i are kept', (length, kept) => {
    expect(messageOf(bytes('x'.repeat(length)))).toBe('x'.repeat(kept));
    expect(messageOf(new TextEncoder().encode('𝄞'.repeat(length)))).toBe('𝄞'.repeat(kept));
  });

  test('arbitrary text becomes one that can be shown, and stays as it is when read again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc
            .string({ unit: 'binary', maxLength: 300 })
            .map((text) => new TextEncoder().encode(text)),
        ),
        (text) => {
          const shown = messageOf(text);
          expect(shown).not.toMatch(/[\p{C}\p{Bidi_Control}]|\s\s|^\s|\s$/u);
          expect(Array.from(shown).length).toBeLessThanOrEqual(MAX_ERROR_CHARACTERS);
          expect(messageOf(new TextEncoder().encode(shown))).toBe(shown);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
