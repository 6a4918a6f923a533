#!/bin/sh
# TCP, UDP and QUIC in a network of their own in which nothing is lost, then 5 % of all packets: needs root, nft and Go.
# Packets are those of all sign-ons together, counted by the kernel as they arrive.
set -e
cd "$(dirname "$0")"
program="$(mktemp)"
trap 'rm -f "$program"' EXIT
go build -o "$program" .
for loss in 0 5; do
	for words in '-over tcp' '-over udp -first 200ms' '-over udp -first 1s' '-over quic'; do
		unshare --net sh -ec '
			ip link set lo up
			nft add table inet loss
			nft add chain inet loss in "{ type filter hook input priority 0; }"
			nft add rule inet loss in meta l4proto "{ tcp, udp }" counter
			if [ "$2" -gt 0 ]; then nft add rule inet loss in numgen random mod 100 "<" "$2" drop; fi
			printf "%s %% lost, %s\n  " "$2" "$3"
			"$1" $3 -count 400 -parallel 4
			nft list chain inet loss in | sed -n "s/.*counter packets \([0-9]*\) bytes \([0-9]*\).*/  \1 packets, \2 bytes/p"
		' sh "$program" "$loss" "$words"
	done
done
