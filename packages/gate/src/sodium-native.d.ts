/** What sodium-native 5 has and its types have not. */
import 'sodium-native';

declare module 'sodium-native' {
  function crypto_aead_chacha20poly1305_ietf_encrypt(
    ciphertext: Buffer,
    message: Buffer,
    ad: Buffer | null,
    nsec: null,
    nonce: Buffer,
    key: Buffer,
  ): number;
  function crypto_aead_chacha20poly1305_ietf_decrypt(
    message: Buffer,
    nsec: null,
    ciphertext: Buffer,
    ad: Buffer | null,
    nonce: Buffer,
    key: Buffer,
  ): number;
}
