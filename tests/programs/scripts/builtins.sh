# What a POSIX shell does without making a process.
x=5
while [ $x -gt 0 ]; do
    echo "x is $x, its square $((x * x))"
    x=$((x - 1))
done
fib() {
    a=0 b=1 n=$1
    while [ "$n" -gt 0 ]; do
        t=$((a + b)) a=$b b=$t n=$((n - 1))
    done
    echo "$a"
}
fib 40
case "a string" in
*.c) echo wrong ;;
a*g) echo "matched" ;;
esac
set -- one two three
for word; do
    echo "word: $word, length ${#word}, without t: ${word#t}"
done
shift
echo "left: $# $*"
cd /data/tree || exit 9
echo *
for d in dir*; do
    [ -d "$d" ] && echo "$d is a folder"
done
[ -e broken ] || echo "broken leads nowhere"
[ -L broken ] && echo "broken is a link"
while read -r number rest; do
    echo "$number: ${rest%% *}"
done </data/files/short
echo written >/tmp/file
echo more >>/tmp/file
while read -r line; do
    echo "file has: $line"
done </tmp/file
umask
pwd
unset nothing
echo "${nothing:-default} ${x:+set}"
trap 'echo goodbye' EXIT
exit 7
