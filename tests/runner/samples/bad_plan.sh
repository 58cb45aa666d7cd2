echo "1..3"; echo "ok 1"; echo "ok 2"
