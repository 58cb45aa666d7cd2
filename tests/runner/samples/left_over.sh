sleep 300 >&- 2>&- & echo $!
echo "ok 1"; echo "1..1"
