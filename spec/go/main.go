// Verify-tree reads a broker's tree of all heads with the tools that Go's checksum database is read with: the
// signed head, every tile that it needs, every leaf, and how the tree grew. It shares no code with the broker.
//
//	go run . <origin of the broker> [<account> ...]
//
// For each account that is named, the proof that comes with its device log is verified too. What was verified is
// printed as one line of JSON; anything that is not good ends the program with status 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is log2 of the 256 hashes of a C2SP tile.
const tileHeight = 8

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: verify-tree <origin of the broker> [<account> ...]")
		os.Exit(64)
	}
	verified, err := verify(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify-tree:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(verified)
}

type summary struct {
	Size        int64 `json:"size"`
	Tiles       int   `json:"tiles"`
	Leaves      int64 `json:"leaves"`
	Consistency int64 `json:"consistency"`
	Accounts    int   `json:"accounts"`
}

func verify(origin string, accounts []string) (*summary, error) {
	log, err := open(origin)
	if err != nil {
		return nil, err
	}
	text, err := get(log.prefix + "checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := log.openHead(string(text))
	if err != nil {
		return nil, err
	}
	tiles := &tileReader{prefix: log.prefix}
	hashes := tlog.TileHashReader(tree, tiles)
	leaves, err := log.readLeaves(tree.N)
	if err != nil {
		return nil, err
	}
	for i, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(leaf)); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	for older := int64(1); older <= tree.N; older++ {
		if err := log.checkGrowth(older, tree, hashes); err != nil {
			return nil, fmt.Errorf("from %d to %d leaves: %w", older, tree.N, err)
		}
	}
	for _, name := range accounts {
		if err := log.checkAccount(name, tree); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &summary{tree.N, tiles.read, int64(len(leaves)), tree.N, len(accounts)}, nil
}

type broker struct {
	origin, prefix string
	verifier       note.Verifier
}

// open learns where the tree is, and by which key its heads are verified, from the broker itself.
func open(origin string) (*broker, error) {
	var known struct {
		Tree struct{ URL, Key string }
	}
	if err := getJSON(origin+"/.well-known/countersign", &known); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(known.Tree.Key)
	if err != nil {
		return nil, err
	}
	return &broker{origin, known.Tree.URL, verifier}, nil
}

// openHead verifies a signed note, and reads it as a C2SP checkpoint.
func (b *broker) openHead(text string) (tlog.Tree, error) {
	signed, err := note.Open([]byte(text), note.VerifierList(b.verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != b.verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", b.verifier.Name(), signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// readLeaves reads the entry bundles of a tree.
func (b *broker) readLeaves(size int64) ([][]byte, error) {
	var leaves [][]byte
	for int64(len(leaves)) < size {
		n := int64(len(leaves)) >> tileHeight
		tile := tlog.Tile{H: tileHeight, L: -1, N: n, W: int(min(size-n<<tileHeight, 1<<tileHeight))}
		bundle, err := get(b.prefix + tilePath(tile))
		if err != nil {
			return nil, err
		}
		for len(bundle) > 0 {
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, bundle[2:length])
			bundle = bundle[length:]
		}
	}
	return leaves, nil
}

// checkGrowth verifies the broker's own consistency proof, against a root that is put together from tiles.
func (b *broker) checkGrowth(older int64, tree tlog.Tree, hashes tlog.HashReader) error {
	var answer struct{ Consistency []string }
	if err := getJSON(fmt.Sprintf("%sproof?from=%d&to=%d", b.prefix, older, tree.N), &answer); err != nil {
		return err
	}
	proof, err := parseHashes(answer.Consistency)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(older, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(proof), tree.N, tree.Hash, older, root)
}

// checkAccount verifies the proof that comes with a device log, which may be of a newer tree.
func (b *broker) checkAccount(name string, tree tlog.Tree) error {
	var answer struct {
		Transparency struct {
			TreeHead    string `json:"tree_head"`
			Index       int64
			Leaf        string
			Inclusion   []string
			Consistency []string
		}
	}
	address := fmt.Sprintf("%s/v1/accounts/%s/log?tree=%d", b.origin, url.PathEscape(name), tree.N)
	if err := getJSON(address, &answer); err != nil {
		return err
	}
	told := answer.Transparency
	now, err := b.openHead(told.TreeHead)
	if err != nil {
		return err
	}
	var leaf struct{ Sub string }
	if err := json.Unmarshal([]byte(told.Leaf), &leaf); err != nil || leaf.Sub != name {
		return fmt.Errorf("the leaf is of %q", leaf.Sub)
	}
	inclusion, err := parseHashes(told.Inclusion)
	if err != nil {
		return err
	}
	hash := tlog.RecordHash([]byte(told.Leaf))
	if err := tlog.CheckRecord(tlog.RecordProof(inclusion), now.N, now.Hash, told.Index, hash); err != nil {
		return err
	}
	consistency, err := parseHashes(told.Consistency)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(consistency), now.N, now.Hash, tree.N, tree.Hash)
}

// tileReader reads tiles over HTTP; tlog verifies them against the tree's root.
type tileReader struct {
	prefix string
	read   int
}

func (r *tileReader) Height() int { return tileHeight }

func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		tileData, err := get(r.prefix + tilePath(tile))
		if err != nil {
			return nil, err
		}
		data[i] = tileData
	}
	return data, nil
}

func (r *tileReader) SaveTiles(tiles []tlog.Tile, _ [][]byte) { r.read += len(tiles) }

// tilePath is the path of tlog-tiles, which leaves out the height and says "entries" for "data".
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func parseHashes(texts []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("not a hash: %q", text)
		}
		copy(hashes[i][:], raw)
	}
	return hashes, nil
}

func getJSON(address string, into any) error {
	body, err := get(address)
	if err != nil {
		return err
	}
	return json.NewDecoder(bytes.NewReader(body)).Decode(into)
}

func get(address string) ([]byte, error) {
	answer, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, answer.Status, body)
	}
	return body, err
}
