/**
 * Swarms in Redis: under which keys, and the scripts that work on them, each in one step.
 *
 * All keys of a swarm have its infohash in braces, so that they lie on one node of a cluster. `:4s`
 * `:4l` `:6s` `:6l` are sorted sets: seeds and leechers of a family of addresses, as address and port
 * in compact form, by the time of the last announce in seconds of Redis's own clock. `:c` counts
 * downloads, a field for each tracker: what one has counted is written again after a loss without being
 * counted twice. Peer ids are not kept: they would double the memory, and whoever asks for
 * dictionaries has to do without.
 *
 * Needs Redis 6.2 or Valkey. Everything expires by itself.
 *
 * @module
 */

import { encodeUtf8, formatHex } from '../../base/bytes.ts';
import { sha1 } from '../../base/sha.ts';
import type { RedisScript } from '../../runtime/ports.ts';

/** In this order the scripts expect them. */
export function swarmKeys(prefix: string, infoHash: Uint8Array): readonly string[] {
  const stem = `${prefix}{${formatHex(infoHash)}}:`;
  return [`${stem}4s`, `${stem}4l`, `${stem}6s`, `${stem}6l`, `${stem}c`];
}

/** How a peer is written, or that it goes. */
export type PeerKind = 's' | 'l' | 'x';

const TIME_AND_SETS = `
local lifetime = tonumber(ARGV[1])
local now = tonumber(redis.call('TIME')[1])
local function sets(member)
  if #member == 6 then return KEYS[1], KEYS[2], KEYS[3], KEYS[4] end
  return KEYS[3], KEYS[4], KEYS[1], KEYS[2]
end
local function completed()
  local sum = 0
  for _, count in ipairs(redis.call('HVALS', KEYS[5])) do sum = sum + tonumber(count) end
  return sum
end
`;

/** Trackers that have a count of their own in a swarm; the others share one. */
const MAX_TRACKERS = 64;
/** How long the number of downloads outlives the last of them: 90 days. */
const COMPLETED_SECONDS = 7_776_000;
/** What a set lives longer than its youngest member. */
const SLACK_SECONDS = 60;

const COUNTS = `
local function count_of(id)
  if redis.call('HLEN', KEYS[5]) < ${MAX_TRACKERS} then return id end
  if redis.call('HEXISTS', KEYS[5], id) == 1 then return id end
  return ''
end
local function keep_counts()
  if redis.call('TTL', KEYS[5]) < ${COMPLETED_SECONDS / 2} then
    redis.call('EXPIRE', KEYS[5], ${COMPLETED_SECONDS})
  end
end
`;

/** Up to this many members a set is kept as a list, and `ZRANDMEMBER` is fair. */
const MAX_FAIR = 128;
/** Runs of members that make up a sample. */
const RUNS = 8;

/**
 * Arguments: lifetime, member, kind, `1` for a completed download, the tracker's id, how many peers are
 * wanted, `1` for those of the other family as well, and a random number of 31 bits.
 *
 * The peer leaves its set before the sample is taken, and is not in it therefore. Every peer is as likely
 * to be in it as any other: how many are seeds is rounded at random; and since `ZRANDMEMBER` prefers some
 * members of large sets, runs of a few that follow each other are taken from all over the set instead,
 * with a beginning turned at random.
 */
export const ANNOUNCE: RedisScript = script(`${TIME_AND_SETS}${COUNTS}
local member, kind = ARGV[2], ARGV[3]
local seeds, leechers, other_seeds, other_leechers = sets(member)
local home = leechers
if kind == 's' then home = seeds end
-- Changes little, and fails where memory has run out: once a script has written, nothing does any more.
if kind ~= 'x' then redis.call('ZADD', home, 'XX', now, member) end
local was_seed = redis.call('ZREM', seeds, member)
if was_seed == 0 then redis.call('ZREM', leechers, member) end

local function size(key)
  local all = redis.call('ZCARD', key)
  if all == 0 then return 0 end
  return all - redis.call('ZREMRANGEBYSCORE', key, '-inf', now - lifetime)
end
local own_s, own_l = size(seeds), size(leechers)
local other_s, other_l = size(other_seeds), size(other_leechers)

math.randomseed(tonumber(ARGV[8]))
local function pick(key, size, count)
  if count < 1 then return '' end
  if size <= ${MAX_FAIR} then return table.concat(redis.call('ZRANDMEMBER', key, count)) end
  local runs = math.min(count, ${RUNS})
  if count * 2 > size then runs = 1 end
  local turn = math.random(0, size - 1)
  local found = {}
  local function take(from, to)
    found[#found + 1] = table.concat(redis.call('ZRANGE', key, from, to))
  end
  for run = 0, runs - 1 do
    local from, to = math.floor(size * run / runs), math.floor(size * (run + 1) / runs)
    local length = math.floor(count * (run + 1) / runs) - math.floor(count * run / runs)
    local start = (turn + from + math.random(0, to - from - length)) % size
    local over = start + length - size
    take(start, math.min(start + length, size) - 1)
    if over > 0 then take(0, over - 1) end
  end
  return table.concat(found)
end
local function sample(from_seeds, from_leechers, s, l, wanted)
  if kind == 's' then s = 0 end
  local all = s + l
  if wanted > all then wanted = all end
  if kind == 'x' or wanted < 1 then return '', 0 end
  local share = math.floor(wanted * s / all + math.random())
  return pick(from_seeds, s, share) .. pick(from_leechers, l, wanted - share), wanted
end
local wanted = tonumber(ARGV[6])
local own, found = sample(seeds, leechers, own_s, own_l, wanted)
local others = ''
if ARGV[7] == '1' then
  others = sample(other_seeds, other_leechers, other_s, other_l, wanted - found)
end

if kind == 's' then own_s = own_s + 1 elseif kind == 'l' then own_l = own_l + 1 end
if kind ~= 'x' then
  redis.call('ZADD', home, now, member)
  redis.call('EXPIRE', home, lifetime + ${SLACK_SECONDS})
end
if ARGV[4] == '1' and was_seed == 0 then
  redis.call('HINCRBY', KEYS[5], count_of(ARGV[5]), 1)
end
local downloads = completed()
if downloads > 0 then keep_counts() end
return { own_s + other_s, own_l + other_l, downloads, own, others }
`);

/** Arguments: lifetime. */
export const SCRAPE: RedisScript = script(`${TIME_AND_SETS}
local function size(key) return redis.call('ZCOUNT', key, '(' .. (now - lifetime), '+inf') end
return { size(KEYS[1]) + size(KEYS[3]), size(KEYS[2]) + size(KEYS[4]), completed() }
`);

/**
 * For so long nobody who had all pieces lacks some: longer than ages are wrong by, of which the store
 * knows less than a second, and which are rounded up.
 */
const KEPT_SECONDS = 10;

/**
 * Writes again what a tracker knows. Arguments: lifetime, the tracker's id, how many downloads it has
 * counted, then by twos: a member, its kind and its age in seconds in one word.
 *
 * What Redis knows from a later announce stays. Within one second who left is gone, and within
 * {@link KEPT_SECONDS} seeds are seeds. Without a digest: a download that is announced right behind it
 * must find the number that it adds to.
 */
export const RESTORE: RedisScript = {
  text: `${TIME_AND_SETS}${COUNTS}
local touched = {}
local function put(home, seen, member)
  redis.call('ZADD', home, seen, member)
  touched[home] = true
end
for at = 4, #ARGV, 2 do
  local member, kind = ARGV[at], string.sub(ARGV[at + 1], 1, 1)
  local seen = now - tonumber(string.sub(ARGV[at + 1], 2))
  local seeds, leechers = sets(member)
  local as_seed = tonumber(redis.call('ZSCORE', seeds, member) or -1)
  local as_leecher = tonumber(redis.call('ZSCORE', leechers, member) or -1)
  local known = math.max(as_seed, as_leecher)
  local is_young = seen > now - lifetime
  if is_young and kind == 'x' and seen >= known then
    redis.call('ZREM', seeds, member)
    redis.call('ZREM', leechers, member)
  elseif is_young and kind == 's' and seen + ${KEPT_SECONDS} > known then
    put(seeds, math.max(seen, known), member)
    redis.call('ZREM', leechers, member)
  elseif is_young and kind == 'l' and seen > known then
    put(leechers, seen, member)
    redis.call('ZREM', seeds, member)
  end
end
for key in pairs(touched) do redis.call('EXPIRE', key, lifetime + ${SLACK_SECONDS}) end
local counted = tonumber(ARGV[3])
if counted > 0 and count_of(ARGV[2]) ~= '' then
  if tonumber(redis.call('HGET', KEYS[5], ARGV[2]) or 0) < counted then
    redis.call('HSET', KEYS[5], ARGV[2], counted)
  end
  keep_counts()
end
return 0
`,
};

/** Finds out whether Redis takes writes: it may be there, and loading, read-only or full. */
export const PROBE: RedisScript = script(`
redis.call('SET', KEYS[1], '1', 'EX', '60')
return 0
`);

function script(text: string): RedisScript {
  return { text, digest: formatHex(sha1(encodeUtf8(text))) };
}
