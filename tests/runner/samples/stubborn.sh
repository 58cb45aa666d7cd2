trap "" TERM
echo "1..1"; while :; do sleep 300; done
