/**
 * Operations in words, as they are signed.
 * @module
 */
import type { explainOperations } from '@countersign/graphene';

export function Operations({ operations }: { operations: ReturnType<typeof explainOperations> }) {
  return operations.map(({ title, lines }) => (
    <div key={title} class="operation">
      <h3>{title}</h3>
      <dl>
        {lines.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  ));
}
