/**
 * HandshakeState of the Noise Protocol Framework, revision 34 (section 5.3), with the two patterns that M-AUTH
 * uses. Patterns are data, as in section 7.
 * @module
 */
import {
  type CipherState,
  concat,
  MAX_NOISE_MESSAGE,
  NOISE_KEY_BYTES,
  NOISE_TAG_BYTES,
  type NoiseCrypto,
  type NoiseKey,
  refused,
  SymmetricState,
} from './noise.ts';

const EMPTY = new Uint8Array();

export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

export interface NoisePattern {
  readonly name: string;
  /** Whether the static keys are known to both beforehand. */
  readonly known: boolean;
  /** The messages, the first of them the initiator's. */
  readonly messages: readonly (readonly Token[])[];
}

/** Sections 7.5 and 9.4: for two that know each other. */
export const KK_PSK0: NoisePattern = {
  name: 'KKpsk0',
  known: true,
  messages: [
    ['psk', 'e', 'es', 'ss'],
    ['e', 'ee', 'se'],
  ],
};

/** For two that know a code, and nothing else of each other. */
export const XX_PSK3: NoisePattern = {
  name: 'XXpsk3',
  known: false,
  messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']],
};

export interface HandshakeOptions {
  readonly pattern: NoisePattern;
  readonly role: 'initiator' | 'responder';
  readonly prologue: Uint8Array;
  readonly psk?: Uint8Array;
  readonly key: NoiseKey;
  /** The other side's static key, where the pattern has it known. */
  readonly peer?: Uint8Array;
  /** What the two static keys give by Diffie-Hellman, where that was kept: `ss` is then not made anew. */
  readonly shared?: Uint8Array;
  /** For test vectors alone. */
  readonly ephemeral?: NoiseKey;
}

/** What a handshake ends with. */
export interface Channel {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** Binds to this one handshake (section 11.2). */
  readonly hash: Uint8Array;
  /** A secret of both sides, apart from the channel's keys. */
  readonly exported: Uint8Array;
  readonly peer: Uint8Array;
}

/** One run. Messages go to and fro; whatever throws, the run is over. */
export class NoiseHandshake {
  readonly #crypto: NoiseCrypto;
  readonly #options: HandshakeOptions;
  readonly #state: SymmetricState;
  #next = 0;
  #over = false;
  #ephemeral: NoiseKey | undefined;
  #peer: Uint8Array | undefined;
  #peerEphemeral: Uint8Array | undefined;

  constructor(crypto: NoiseCrypto, options: HandshakeOptions) {
    const { pattern, role, prologue, key, peer, psk } = options;
    const wantsPsk = pattern.messages.some((tokens) => tokens.includes('psk'));
    if (wantsPsk !== (psk !== undefined)) throw new TypeError(`${pattern.name} and its preshared key`);
    if (psk !== undefined && psk.length !== NOISE_KEY_BYTES)
      throw new TypeError('a preshared key has 32 bytes');
    if (pattern.known !== (peer !== undefined)) throw new TypeError(`${pattern.name} and the peer’s key`);
    this.#crypto = crypto;
    this.#options = options;
    this.#peer = peer;
    this.#state = new SymmetricState(crypto, `Noise_${pattern.name}_25519_ChaChaPoly_SHA256`);
    this.#state.mixHash(prologue);
    if (peer === undefined) return;
    const [first, second] = role === 'initiator' ? [key.publicKey, peer] : [peer, key.publicKey];
    this.#state.mixHash(first);
    this.#state.mixHash(second);
  }

  /** `WriteMessage`. Out of turn it is a `TypeError`. */
  async write(payload: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    for (const token of this.#turn('initiator')) {
      if (token === 'e') parts.push(await this.#writeEphemeral());
      else if (token === 's') parts.push(this.#state.encryptAndHash(this.#options.key.publicKey));
      else await this.#mix(token);
    }
    parts.push(this.#state.encryptAndHash(payload));
    this.#next++;
    const message = concat(...parts);
    if (message.length > MAX_NOISE_MESSAGE) throw new TypeError('a message of more than 65535 bytes');
    return message;
  }

  /**
   * `ReadMessage`: the payload.
   * @throws `handshake-invalid` whatever is wrong
   */
  async read(message: Uint8Array): Promise<Uint8Array> {
    const tokens = this.#turn('responder');
    // the run is over unless this message is good to its end
    this.#over = true;
    let rest = message;
    const take = (length: number) => {
      if (rest.length < length) throw refused('a handshake message that ends early');
      const taken = rest.slice(0, length);
      rest = rest.subarray(length);
      return taken;
    };
    try {
      for (const token of tokens) {
        if (token === 'e') this.#readEphemeral(take(NOISE_KEY_BYTES));
        else if (token === 's') {
          const sealed = this.#state.hasKey ? NOISE_KEY_BYTES + NOISE_TAG_BYTES : NOISE_KEY_BYTES;
          this.#peer = this.#state.decryptAndHash(take(sealed));
        } else await this.#mix(token);
      }
      const payload = this.#state.decryptAndHash(rest);
      this.#next++;
      this.#over = false;
      return payload;
    } catch (cause) {
      throw refused('a handshake message that is not of this run', cause);
    }
  }

  /** Once every message has gone; before that it is a `TypeError`. */
  finish(): Channel {
    if (this.#over || this.#next !== this.#options.pattern.messages.length) {
      throw new TypeError('this handshake is not complete');
    }
    this.#over = true;
    const { initiator, responder, exported } = this.#state.split();
    const [send, receive] =
      this.#options.role === 'initiator' ? [initiator, responder] : [responder, initiator];
    return { send, receive, hash: this.#state.hash, exported, peer: this.#peer! };
  }

  /** The tokens of the next message, which is the initiator's or the responder's as seen from here. */
  #turn(writer: 'initiator' | 'responder'): readonly Token[] {
    const due = this.#next % 2 === 0 ? 'initiator' : 'responder';
    const tokens = this.#options.pattern.messages[this.#next];
    const mine = writer === 'initiator' ? this.#options.role === due : this.#options.role !== due;
    if (this.#over || tokens === undefined || !mine) throw new TypeError('this message is not due');
    return tokens;
  }

  async #writeEphemeral(): Promise<Uint8Array> {
    this.#ephemeral = this.#options.ephemeral ?? (await this.#crypto.generateKey());
    this.#mixEphemeral(this.#ephemeral.publicKey);
    return this.#ephemeral.publicKey;
  }

  #readEphemeral(key: Uint8Array): void {
    this.#peerEphemeral = key;
    this.#mixEphemeral(key);
  }

  /** Section 9.2: in a handshake with a preshared key, an ephemeral key also goes into the chaining key. */
  #mixEphemeral(key: Uint8Array): void {
    this.#state.mixHash(key);
    if (this.#options.psk !== undefined) this.#state.mixKey(key);
  }

  async #mix(token: Exclude<Token, 'e' | 's'>): Promise<void> {
    if (token === 'psk') return this.#state.mixKeyAndHash(this.#options.psk ?? EMPTY);
    if (token === 'ss' && this.#options.shared !== undefined) {
      return this.#state.mixKey(this.#options.shared);
    }
    // the first letter is the initiator's key, the second the responder's
    const [own, other] = this.#options.role === 'initiator' ? token : [token[1], token[0]];
    const key = own === 'e' ? this.#ephemeral! : this.#options.key;
    const peer = other === 'e' ? this.#peerEphemeral! : this.#peer!;
    this.#state.mixKey(await key.dh(peer));
  }
}
