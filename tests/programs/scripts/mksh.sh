# What mksh can do beyond POSIX, without making a process.
typeset -i sum=0
set -A list 3 1 4 1 5 9 2 6
for i in "${list[@]}"; do
    ((sum += i))
done
print "sum of ${#list[@]} numbers: $sum"
typeset -Z6 padded=42
print "$padded"
typeset -u upper="shouting"
print -r -- "$upper"
s=hello
print "${s:1:3} ${s/l/L} ${#s}"
[[ $s = h* && ! -e /nothing ]] && print yes
let 'n = 1 << 40'; print $n
function count { typeset -i i=$1; while ((i)); do print -n "$i "; ((i--)); done; print; }
count 10
select_one=(a b c); print "${select_one[1]}"
print -u2 "to standard error"
exit 3
