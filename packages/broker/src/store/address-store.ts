/**
 * The e-mail addresses that an account is told at, as an interface: a part of `Store`. Times are seconds since 1970.
 * @module
 */

export interface AddressRow {
  readonly address: string;
  /** When its owner gave back the code that was sent there. */
  readonly since: number;
}

export interface AddressStore {
  /** Keeps an address; one that is kept already stays as it is. @throws `address-refused` where there are `most` */
  saveAddress(accountId: number, address: string, now: number, most: number): Promise<void>;
  /** @returns false where it was not kept */
  removeAddress(accountId: number, address: string): Promise<boolean>;
  /** Oldest first. */
  listAddresses(accountId: number): Promise<AddressRow[]>;
}
