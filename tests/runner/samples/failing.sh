echo "1..2"; echo "ok 1 - a"; echo "not ok 2 - the sum is right"; echo "#   1 is not 2"; exit 1
