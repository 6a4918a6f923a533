/**
 * Both sides of a pairing at work.
 * @module
 */
import type {
  InterfaceRecord,
  JoinEvent,
  OfferEvent,
  PairJoin,
  PairNames,
  PairOffer,
  PairStep,
  ValidatorRecord,
} from '@countersign/core/m-auth';
import type { Clock } from '../clock.ts';
import { Drive, type Machine, type Wanted } from './drive.ts';
import type { ByteDuplex } from './duplex.ts';

export type PairingEnd =
  | { readonly outcome: 'paired'; readonly record: ValidatorRecord }
  | {
      readonly outcome: (JoinEvent & { kind: 'failed' })['why'];
      readonly alarm: boolean;
      readonly record?: undefined;
    };

/**
 * The validator’s side, on a connection to the host.
 * @param confirm whether the person means this host and this account
 * @param keep makes the record durable
 */
export async function joinPair(
  join: PairJoin,
  duplex: ByteDuplex,
  clock: Clock,
  confirm: (names: PairNames) => Promise<boolean>,
  keep: (record: ValidatorRecord) => Promise<void>,
): Promise<PairingEnd> {
  let end: PairingEnd | undefined;
  let failure: unknown;
  const wanted = wants<JoinEvent, ValidatorRecord>(keep, (error) => {
    failure = error;
  });
  const machine: Machine<JoinEvent> = {
    receive: async (frame, now) => wanted(await join.receive(frame, now)),
    tick: (now) => wanted(join.tick(now)),
    settle: (durable, now) => wanted(join.settle(durable, now)),
    closed: () => wanted(join.closed()),
    due: () => join.due,
  };
  const drive = new Drive(machine, duplex, clock, (event) => {
    if (event.kind === 'offered') ask(event.names);
    else if (event.kind === 'paired') end = { outcome: 'paired', record: event.record };
    else end = { outcome: event.why, alarm: event.alarm };
  });
  const ask = async (names: PairNames) => {
    let yes = false;
    try {
      yes = await confirm(names);
    } catch (error) {
      failure = error;
    }
    drive.input(() => wanted(join.confirm(yes)));
  };
  await drive.run(wanted(await join.start(clock.monotonic())));
  if (failure !== undefined) throw failure;
  return end!;
}

/**
 * The host’s side, on one connection on which the `PairRequest` was sent. Fulfilled with the last event: after
 * `interrupted`, announce the offer again on another connection.
 * @param keep makes the record durable
 */
export async function offerPair(
  offer: PairOffer,
  duplex: ByteDuplex,
  clock: Clock,
  keep: (record: InterfaceRecord) => Promise<void>,
): Promise<OfferEvent> {
  let last: OfferEvent = { kind: 'interrupted' };
  let failure: unknown;
  const wanted = wants<OfferEvent, InterfaceRecord>(keep, (error) => {
    failure = error;
  });
  const machine: Machine<OfferEvent> = {
    receive: async (frame, now) => wanted(await offer.receive(frame, now)),
    tick: (now) => wanted(offer.tick(now)),
    settle: (durable) => wanted(offer.settle(durable)),
    closed: () => wanted(offer.closed()),
    due: () => offer.due,
  };
  await new Drive(machine, duplex, clock, (event: OfferEvent) => {
    last = event;
  }).run();
  if (failure !== undefined) throw failure;
  return last;
}

function wants<Event, Record>(keep: (record: Record) => Promise<void>, failed: (error: unknown) => void) {
  return (step: PairStep<Event, Record>): Wanted<Event> => {
    const { keep: record } = step;
    return {
      send: step.send,
      event: step.event,
      close: step.close,
      note: undefined,
      keep:
        record &&
        (() =>
          keep(record).then(
            () => true,
            (error) => {
              failed(error);
              return false;
            },
          )),
    };
  };
}
