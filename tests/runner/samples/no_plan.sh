echo "ok 1 - a"
