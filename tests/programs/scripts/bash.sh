# What bash can do beyond POSIX, without making a process.
declare -A age=([ann]=30 [bob]=25)
for name in ann bob; do
    echo "$name is ${age[$name]}"
done
list=({1..5} x)
echo "${list[@]} ${#list[@]} ${list[-1]}"
s=hello
echo "${s^^} ${s:1:3} ${s/l/L} ${s//l/}"
if [[ "file-2024.txt" =~ ^([a-z]+)-([0-9]+)\.txt$ ]]; then
    echo "match: ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
fi
for ((i = 0; i < 3; i++)); do
    printf '%03d ' "$i"
done
echo
mapfile -t lines </data/files/short
echo "${#lines[@]} lines, the last: ${lines[-1]}"
printf -v padded '%8s|' right
echo "$padded"
read -r first second _ <<<"one two three four"
echo "$first $second"
while IFS=$'\t' read -r n square word; do
    ((n % 50 == 0)) && echo "$n $square $word"
done </data/files/table
shopt -s nullglob
cd /data/tree && echo dir*/deep/file2*
echo "to standard error" >&2
exit 4
