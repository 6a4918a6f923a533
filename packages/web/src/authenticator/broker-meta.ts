/** Name of the line in the page's head that says which broker it is for, where it is not the one that serves it. */
export const BROKER_META = 'countersign-broker';
