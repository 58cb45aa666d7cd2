echo "ok 1 - a"; echo "ok 2 - b # SKIP not here"; echo "1..2"
