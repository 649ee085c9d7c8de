# Objects (PART-2, SEG-1, SEG-2, STAMP-1): each that the records name is there, of this size, with these hashes.
. "$parts/words.sh"
cut -d' ' -f4 "$work/want" >"$work/names"
[ -s "$work/names" ] || exit 0

sort "$work/names" | comm -23 - "$work/there" |
  sed 's,^stamps.*,STAMP-1 &,; t; s,.*init.*,PART-2 &,; t; s,^,SEG-1 ,' >"$work/gone"
found gone

compare() { # EXPECTED; what is there comes in: both a line an object, its name last
  awk '
    NR == FNR { expected[NR] = $0; next }
    expected[FNR] != $0 { print ($NF ~ /^stamps/ ? "STAMP-1" : $NF ~ /init/ ? "PART-2" : "SEG-2"), $NF }
    END { if (NR != 2 * FNR) print "SEG-2" }
  ' "$1" - >"$work/other"
}
# Sizes first: a huge file is not read.
cut -d' ' -f1,4 "$work/want" >"$work/sizes"
xargs stat -c '%s %n' <"$work/names" | compare "$work/sizes"
found other
cut -d' ' -f2- "$work/want" >"$work/digests"
xargs sha256sum <"$work/names" | cut -c1-64 >"$work/sha256"
xargs openssl dgst -sm3 -r <"$work/names" | cut -c1-64 |
  paste -d' ' "$work/sha256" - "$work/names" | compare "$work/digests"
found other
