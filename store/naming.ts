import { DefaultNamingStrategy } from 'typeorm';
import type { Table } from 'typeorm';

/** `phoneNumber` in code is `phone_number` in the database; tables, indexes and keys are named where they are declared. */
export class SnakeCaseNaming extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined, _embeddedPrefixes: string[]): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }

  override primaryKeyName(tableOrName: Table | string): string {
    return `${this.getTableName(tableOrName)}_pk`;
  }
}

/** `bigint` comes back from the driver as text; versions stay far below 2⁵³. */
export const bigintAsNumber = {
  from: (value: string | number | null): number | null => (value === null ? null : Number(value)),
  to: (value: number | null): number | null => value,
};
