# What the records and the heads of a recording say (FORMAT.md §3 to §8), rule after rule, in their order.
#
#   awk -v seed=HEX -v out=FOLDER -f (the other .awk files) -f records.awk HASHES records/*.jsonl heads/*.jsonl
#
# HASHES has the SHA-256 of each record, a line each. Beside what is broken (words.awk) it leaves in FOLDER what
# others check: `keys` (algorithm, fingerprint), `witnesses` (their verifier keys), `want` (bytes, SHA-256, SM3, name
# of each object), `stamps` (name, records covered, time of each), `ended` (records, hash of the last, when), and what
# heads.awk says.

function decided(seat, yes,   us) {
  agreed[seat] = yes
  if (yes || !(seat in started) || (seat in gone)) return
  # The first whole millisecond from mono - zero on; that difference may have no number of its own.
  us = mono % 1000 - zero % 1000
  gone[seat] = (mono - mono % 1000) / 1000 - (zero - zero % 1000) / 1000 + (us > 0) + (us > 1000)
}
function seated(seat) { if (!(seat in came)) broken("SEAT-1") }
function permitted() {
  seated(seat)
  if (!(seat in started) || from < started[seat]) broken("CONSENT-2")
  if ((seat in gone) && from >= gone[seat]) broken("CONSENT-3")
}
function object(name, rule) { # names are made here, never taken from a record
  if (of("name") != name || (name in wanted)) broken(rule)
  wanted[name] = 1
  print of("bytes"), of("sha256"), of("sm3"), name >(out "/want")
}
function adds_up(track,   received) {
  received = get(track, "received") + 0
  return get(track, "expected") + 0 == received + get(track, "lost") && get(track, "recovered") + 0 <= received &&
    get(track, "keyframes") + 0 <= get(track, "frames") + 0 &&
    index(tracks[stream], "\"number\":" get(track, "number") ",")
}

BEGIN {
  tail = ",\"mono_us\":" kind["count"] ",\"prev\":" kind["hex"] ",\"seq\":" kind["count"] ",\"type\":\"[a-z]+\"," \
    "\"v\":1,\"visit\":\"[A-Za-z0-9_-]+\"}$"
}
FNR == NR { hash[NR] = $1; next }
FILENAME ~ /^heads/ && FNR == 1 && batch++ && size != ends[batch - 1] { batch--; broken("LAYOUT-3") }
FILENAME ~ /^heads/ { head(); next }
FNR == 1 { batches++ }
{
  where = FILENAME ":" FNR; ends[batches] = n + 1
  if (length($0) > 65536 || $0 !~ ("^[{]\"at\":\"" INSTANT "\",\"body\":[{]") || !match($0, tail)) broken("FORM-2")
  body = substr($0, 41, RSTART - 41); split(substr($0, RSTART), t, /[",:}]+/); type = t[9]
  if (t[3] + 0 > 9007199254740991) broken("FORM-2")
  if (n == 0) visit = t[13]
  if (n == 0 && type != "open") broken("CHAIN-1")
  if (t[7] != n) broken("CHAIN-2")
  if (t[5] "" != (n ? hash[n] : seed)) broken("CHAIN-3")
  if (t[13] "" != visit || (n && type == "open")) broken("CHAIN-4")
  at = ms(substr($0, 8)); drift = (at - told[n]) * 1000 - (t[3] - mono)
  if (n && type != "recovered" && t[3] + 0 < mono) broken("TIME-1")
  if (n && type != "recovered" && (drift > 2000000 || drift < -2000000)) broken("TIME-2")
  if (closed) broken("CLOSE-2")
  if (!well_formed(type, body)) broken("FORM-3")
  if (has_certificate && type != "close") broken("CERT-1")
  told[++n] = at; mono = t[3] + 0
  stream = seat = of("stream"); sub(/[.]screen$/, "", seat); from = of("from_ms") + 0; to = of("to_ms") + 0
}
type == "open" {
  rest = substr(body, index(body, "\"seats\":{") + 9); gsub(/\\./, "", rest); count = split(rest, seats, "\"")
  for (i = 2; i < count && seats[i - 1] !~ /}/; i += 4) came[seats[i]]
  count = list(body, "witnesses", seats)
  for (i = 1; i <= count; i++) print seats[i] >(out "/witnesses")
  match(body, /"origin":"([^"\\]|\\.)*"/); origin = substr(body, RSTART, RLENGTH)
  for (rest = body; match(rest, /[{]"alg":"[a-z0-9]+","key":"[0-9a-f]+"[}]/); rest = substr(rest, RSTART + RLENGTH)) {
    key = substr(rest, RSTART, RLENGTH); keys[get(key, "alg"), get(key, "key")]; signers++
    print get(key, "alg"), get(key, "key") >(out "/keys")
  }
}
type == "event" { happened() }
type == "certificate" { certified(); has_certificate = 1 }
type == "join" { came[of("seat")] }
type == "consent" || type == "withdraw" { seated(of("seat")); decided(of("seat"), of("decision") == "agreed") }
type == "recovered" {
  if ((of("zero_mono_us") == "null") != (zero == "")) broken("START-1")
  if (of("zero_mono_us") != "null") zero = of("zero_mono_us")
}
type == "start" {
  if (zero == "" ? from : of("zero_mono_us") != zero) broken("START-1")
  zero = of("zero_mono_us"); count = list(body, "seats", seats)
  for (i = 1; i <= count; i++) if ((seat = seats[i]) != "") {
    seated(seat)
    if (!agreed[seat]) broken("CONSENT-1")
    if (!(seat in started) || (seat in gone)) started[seat] = from
    delete gone[seat]
    if (!(seat in first)) first[seat] = from
    streams[seat] = 1
  }
}
type == "key" { seated(seat); sealed[stream] = of("suite") }
type == "anchor" { if (of("seq") + 0 >= n - 1 || of("hash") != hash[of("seq") + 1]) broken("ANCHOR-1") }
type == "stamp" {
  name = sprintf("stamps/%06d.tlog-proof", ++stamps); records = of("records") + 0
  if (of("n") != stamps || records < covered || records >= n || !(of("records") in told)) broken("STAMP-1")
  covered = records; object(name, "STAMP-1")
  if (told[covered] > ms(of("at")) + 120000 || told[n] < ms(of("at")) - 120000) broken("STAMP-4")
  print name, covered, of("at") >(out "/stamps")
}
type == "part" {
  permitted()
  streams[stream] = 1; call[seat, "parts"]++; tracks[stream] = body; runs[stream] = 0
  ext[stream] = of("container") == "webm" ? "webm" : "mkv"
  if (of("part") != ++parts[stream]) broken("PART-1")
  if ((ext[stream] == "mkv") != (index(body, "\"codec\":\"H264\"") > 0)) broken("PART-3")
  object(sprintf("streams/%s/part-%03d/init.%s", stream, parts[stream], ext[stream]), "PART-1")
}
type == "segment" {
  permitted()
  if (of("part") != parts[stream] || of("n") != ++runs[stream]) broken("SEG-3")
  if (of("enc") != ((stream in sealed) ? sealed[stream] : "none")) broken("ENC-1")
  object(sprintf("streams/%s/part-%03d/seg-%06d.%s", stream, parts[stream], runs[stream], ext[stream]), "SEG-4")
  if (from >= to || from < reached[stream] + 0) broken("SEG-5")
  count = split(substr(body, index(body, "\"tracks\":[")), counts, "}")
  for (i = 1; i <= count; i++) if (index(counts[i], "{")) {
    if (!adds_up(counts[i])) broken("SEG-6")
    call[seat, "packets"] += get(counts[i], "expected")
    call[seat, "lost"] += get(counts[i], "lost")
    call[seat, "recovered"] += get(counts[i], "recovered")
  }
  reached[stream] = to; segments[stream]++; bytes[stream] += of("bytes"); last[stream] = of("sha256"); span("present")
  if (to > end) end = to
}
type == "gap" {
  if (from >= to) broken("GAP-1")
  seated(seat); streams[stream] = 1; span(of("cause"))
  if (to > end) end = to
  if (of("cause") ~ /^(network|worker|recorder)$/) call[seat, "missing_ms"] += to - from
}
type == "close" { closed = body; last_at = $0 }

END {
  if (failed) exit
  if (closed) print n, hash[n], substr(last_at, 8, 24) >(out "/ended")
  if (size != n) print "HEAD-7", where >(out "/headed")
  if (!closed) at_the_end("incomplete", "CLOSE-1")
  else {
    if (get(closed, "records") + 0 != n) at_the_end("account", "CLOSE-3")
    end_ms = get(closed, "end_ms")
    if (end_ms == "null" ? zero != "" || end : zero == "" || end_ms + 0 < end) at_the_end("account", "CLOSE-4")
  }
  for (stream in streams) {
    mine = "\"" stream "\":{\"bytes\":"; place = index(closed, mine); mine = substr(closed, place + length(mine) - 8)
    if (closed && (!place || !match(mine, /^[^{]*[{][^}]*}[^}]*}/))) at_the_end("account", "CLOSE-3")
    settle(stream, closed ? "{" substr(mine, 1, RLENGTH) : "")
    known++
  }
  if (closed && gsub(/":[{]"bytes":/, "", closed) != known + 0) at_the_end("account", "CLOSE-3")
}
