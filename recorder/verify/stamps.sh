# Timestamps of third parties (STAMP): each that the records name, and that of the end. What people are told of them is
# left in timestamped.
. "$parts/words.sh"
key=$(log_key)
end=stamps/close.tlog-proof

instant() { # TIME DIVISOR: as milliseconds, or with 1000 as seconds, since 1970
  echo "$1" | awk -v by="$2" -F '[-T:.Z]' '{
    y = $1 - ($2 < 3); m = $2 + ($2 < 3) * 12
    days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m - 457) / 5) + $3 - 719469
    printf "%.0f\n", int(((((days * 24 + $4) * 60 + $5) * 60 + $6) * 1000 + $7) / by)
  }'
}
trusted() {
  [ -n "$roots" ] && openssl ts -verify -in "$work/reply" -data "$work/checkpoint" -CAfile "$roots" -partial_chain \
    -auth_level 1 -attime "$(instant "$(cat "$work/time")" 1000)" >/dev/null 2>&1
}
stamp() { # PROOF RECORDS [TIME]: the checkpoint of the proof covers so many records, and was stamped then
  sh "$parts/proof.sh" "$1" "$work/line/$(printf %07d "$2")" >/dev/null 2>&1 || broken STAMP-2 "$1"
  # Beside the proof lies the recorder's signature of the reply, and the reply.
  base64 -d <"$work/extra" >"$work/bytes" 2>/dev/null && [ "$(base64 -w0 "$work/bytes")" = "$(cat "$work/extra")" ] ||
    broken STAMP-2 "$1"
  head -c64 "$work/bytes" >"$work/sig"
  tail -c+65 "$work/bytes" >"$work/reply"
  { printf 'teleconsult-stamp-v1\n'; cat "$work/reply"; } >"$work/said"
  openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/said" -sigfile "$work/sig" >/dev/null 2>&1 ||
    broken STAMP-2 "$1"
  sh "$parts/token.sh" || broken STAMP-3 "$1"
  [ -z "${3-}" ] || [ "$(cat "$work/time")" = "$3" ] || broken STAMP-3 "$1"
  echo "$(cat "$work/time") by $(cat "$work/authority")" >>"$work/times"
  trusted || untrusted=yes
}

untrusted=
: >"$work/times"
while read -r proof records at; do
  stamp "$proof" "$records" "$at"
done <"$work/stamps"
if [ -f $end ]; then
  [ -f "$work/ended" ] || broken STAMP-2 $end
  read -r records _ at <"$work/ended"
  stamp $end "$records"
  [ $(($(instant "$at" 1) - $(instant "$(cat "$work/time")" 1))) -le 120000 ] || broken STAMP-4 $end
fi
if [ -s "$work/times" ]; then
  whose=trusted
  [ -z "$untrusted" ] || whose="declared, by authorities you did not name"
  [ -f $end ] || whose="$whose; the end has none"
  from=$(head -n1 "$work/times")
  to=$(tail -n1 "$work/times" | cut -d' ' -f1)
  echo "timestamped: $whose: $(wc -l <"$work/times"), from $from to $to" >"$work/timestamped"
fi
[ -z "$roots" ] || { [ -z "$untrusted" ] && [ -f $end ]; } || broken STAMP-5 $end
