// Sign-ons of M-AUTH's shape over TCP, UDP and QUIC, one after the other on the loopback network: how long from the call
// to the result's arrival. The bytes are zeros, their number and order those of a real sign-on (frames with a context
// of two blocks). docs/decisions/transport.md tells what was found; measure.sh runs it under loss.
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// What each side says in turn, the validator first: AuthValidate with handshake 1, handshake 2, answer, result, done.
var turns = []int{87, 563, 275, 275, 275}

// A validator gives up on a silent interface after this long.
const patience = 10 * time.Second

type dialer func() (io.ReadWriteCloser, error)

func main() {
	over := flag.String("over", "tcp", "tcp, udp or quic")
	count := flag.Int("count", 400, "sign-ons")
	parallel := flag.Int("parallel", 20, "of them at a time")
	first := flag.Duration("first", 200*time.Millisecond, "udp: until the first retransmission")
	flag.Parse()
	dial, err := listen(*over, *first)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var lock sync.Mutex
	var times []float64
	failed := 0
	work := make(chan struct{}, *count)
	for range *count {
		work <- struct{}{}
	}
	close(work)
	var all sync.WaitGroup
	for range *parallel {
		all.Go(func() {
			for range work {
				ms, err := signOn(dial)
				lock.Lock()
				if err != nil {
					failed++
				} else {
					times = append(times, ms)
				}
				lock.Unlock()
			}
		})
	}
	all.Wait()
	sort.Float64s(times)
	at := func(part float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return times[min(len(times)-1, int(part*float64(len(times))))]
	}
	fmt.Printf("%s: %d done, %d failed, ms p50 %.1f p90 %.1f p99 %.1f\n", *over, len(times), failed, at(0.5), at(0.9), at(0.99))
}

func signOn(dial dialer) (float64, error) {
	began := time.Now()
	conn, err := dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	ms := 0.0
	for turn, size := range turns {
		if turn%2 == 0 {
			if _, err := conn.Write(make([]byte, size)); err != nil {
				return 0, err
			}
		} else if _, err := io.ReadFull(conn, make([]byte, size)); err != nil {
			return 0, err
		}
		if turn == 3 {
			ms = float64(time.Since(began).Microseconds()) / 1000
		}
	}
	return ms, nil
}

// The interface's side of one connection.
func serve(conn io.ReadWriteCloser) {
	for turn, size := range turns {
		if turn%2 == 1 {
			if _, err := conn.Write(make([]byte, size)); err != nil {
				return
			}
		} else if _, err := io.ReadFull(conn, make([]byte, size)); err != nil {
			return
		}
	}
	conn.Close()
}

func listen(over string, first time.Duration) (dialer, error) {
	switch over {
	case "tcp":
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.SetDeadline(time.Now().Add(patience))
				go serve(conn)
			}
		}()
		return func() (io.ReadWriteCloser, error) {
			conn, err := net.DialTimeout("tcp", listener.Addr().String(), patience)
			if err != nil {
				return nil, err
			}
			return conn, conn.SetDeadline(time.Now().Add(patience))
		}, nil
	case "quic":
		return listenQUIC()
	case "udp":
		return listenUDP(first)
	}
	return nil, errors.New("tcp, udp or quic")
}

func listenQUIC() (dialer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	protocols := []string{"m-auth"}
	server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}, NextProtos: protocols}
	listener, err := quic.ListenAddr("127.0.0.1:0", server, nil)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept(context.Background())
			if err != nil {
				return
			}
			go func() {
				stream, err := conn.AcceptStream(context.Background())
				if err == nil {
					serve(stream)
				}
			}()
		}
	}()
	client := &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: protocols}
	return func() (io.ReadWriteCloser, error) {
		limit, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		conn, err := quic.DialAddr(limit, listener.Addr().String(), client, nil)
		if err != nil {
			return nil, err
		}
		stream, err := conn.OpenStreamSync(limit)
		if err != nil {
			return nil, err
		}
		return stream, stream.SetDeadline(time.Now().Add(patience))
	}, nil
}

// What UDP needs at the least: numbered datagrams, each acknowledged, sent again after first, 2×first, 4×first …
// A frame of this protocol fits into one, and one at a time is under way on each side.
type reliable struct {
	send    func([]byte) error
	first   time.Duration
	lock    sync.Mutex
	sent    uint32
	acked   map[uint32]chan struct{}
	next    uint32
	ready   bytes.Buffer
	arrived chan struct{}
}

const (
	data = 0
	ack  = 1
)

func newReliable(send func([]byte) error, first time.Duration) *reliable {
	return &reliable{send: send, first: first, acked: map[uint32]chan struct{}{}, arrived: make(chan struct{}, 64)}
}

func (r *reliable) Write(payload []byte) (int, error) {
	r.lock.Lock()
	number := r.sent
	r.sent++
	done := make(chan struct{})
	r.acked[number] = done
	r.lock.Unlock()
	datagram := append(binary.BigEndian.AppendUint32([]byte{data}, number), payload...)
	go func() {
		for wait := r.first; wait < patience; wait *= 2 {
			if r.send(datagram) != nil {
				return
			}
			select {
			case <-done:
				return
			case <-time.After(wait):
			}
		}
	}()
	return len(payload), nil
}

func (r *reliable) take(datagram []byte) {
	if len(datagram) < 5 {
		return
	}
	number := binary.BigEndian.Uint32(datagram[1:])
	r.lock.Lock()
	defer r.lock.Unlock()
	if datagram[0] == ack {
		if done, there := r.acked[number]; there {
			close(done)
			delete(r.acked, number)
		}
		return
	}
	if number > r.next {
		return
	}
	r.send(binary.BigEndian.AppendUint32([]byte{ack}, number))
	if number == r.next {
		r.next++
		r.ready.Write(datagram[5:])
		r.arrived <- struct{}{}
	}
}

func (r *reliable) Read(into []byte) (int, error) {
	for {
		r.lock.Lock()
		n, _ := r.ready.Read(into)
		r.lock.Unlock()
		if n > 0 {
			return n, nil
		}
		select {
		case <-r.arrived:
		case <-time.After(patience):
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (r *reliable) Close() error { return nil }

func listenUDP(first time.Duration) (dialer, error) {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	go func() {
		peers := map[string]*reliable{}
		buffer := make([]byte, 2048)
		for {
			n, from, err := socket.ReadFromUDP(buffer)
			if err != nil {
				return
			}
			peer, there := peers[from.String()]
			if !there {
				peer = newReliable(func(b []byte) error { _, err := socket.WriteToUDP(b, from); return err }, first)
				peers[from.String()] = peer
				go serve(peer)
			}
			peer.take(bytes.Clone(buffer[:n]))
		}
	}()
	address := socket.LocalAddr().(*net.UDPAddr)
	return func() (io.ReadWriteCloser, error) {
		conn, err := net.DialUDP("udp", nil, address)
		if err != nil {
			return nil, err
		}
		mine := newReliable(func(b []byte) error { _, err := conn.Write(b); return err }, first)
		go func() {
			buffer := make([]byte, 2048)
			for {
				n, err := conn.Read(buffer)
				if err != nil {
					return
				}
				mine.take(bytes.Clone(buffer[:n]))
			}
		}()
		return mine, nil
	}, nil
}
