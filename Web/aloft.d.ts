// SPDX-License-Identifier: Apache-2.0
// Types of the browser client: what an app imports from '/aloft/aloft.js', '/aloft/session.js' and '/aloft/install.js'.

/** A value a field can hold. Timestamps are milliseconds since 1970; bytes are base64url text; sets are arrays without order. */
export type Value = string | number | boolean | null | Array<string | number | boolean>;

/** One record as the app sees it: `id`, its fields, and what the device knows about its state. */
export type Row = {
  id: string;
  /** Absent means: the server has confirmed everything shown here. */
  $state?: 'saving' | 'queued' | 'attention';
  /** Concurrent values of `manual` fields that wait for somebody to resolve them. */
  $candidates?: Record<string, Array<{ value: Value; time: number }>>;
  [field: string]: any;
};

/** A comparison; several keys mean "and". */
export type Condition =
  | Value
  | { '='?: Value; '!='?: Value; '<'?: Value; '<='?: Value; '>'?: Value; '>='?: Value; prefix?: string; in?: Value[]; has?: Value };

/** A filter: all members must hold. */
export type Where = { and?: Where[]; or?: Where[]; not?: Where } & { [field: string]: Condition | Where | Where[] | undefined };

/** `{from:'visits', where:{status:'open'}, orderBy:[['name','asc']], limit:50}`; with `count` or `sum` the result is one number. */
export type Query = {
  from: string;
  where?: Where;
  orderBy?: Array<[field: string, direction: 'asc' | 'desc']>;
  limit?: number;
  offset?: number;
  count?: true;
  sum?: string;
};

/** What the server decided about one change. */
export type Outcome = {
  /** The number of the change on this device. */
  n: number;
  outcome: 'applied' | 'merged' | 'conflict' | 'rejected' | 'pendingApproval' | 'refused' | 'parked' | 'discarded';
  code?: string;
  message?: string;
  path?: string;
  /** The fields that were merged or that conflict. */
  fields?: string[];
  /** For `conflict`: the server's values of those fields. */
  current?: Record<string, Value>;
  /** For `parked`: the number of the change it waits for. */
  dependsOn?: number;
};

/**
 * A change on its way. The change is visible to queries as soon as the call returns.
 * A promise that nobody looks at never raises `unhandledrejection`.
 */
export type Handle = {
  /** The record the change is about; for a create without `id`, the new id. */
  readonly id: string;
  /** Resolves when the change is on this device's disk and survives a crash; rejects when it was discarded unsaved. */
  readonly saved: Promise<void>;
  /** Resolves with the server's verdict, which may be days later; never rejects. */
  readonly synced: Promise<Outcome>;
};

/** One state, in order of what a person must know first. */
export type State =
  | 'starting' | 'synced' | 'syncing' | 'queued' | 'offline' | 'unreachable' | 'portal' | 'slow' | 'signedOut' | 'attention' | 'notSaved';

export type Status = {
  state: State;
  /** Changes saved here that the server has not judged yet. */
  queued: number;
  /** Changes that wait for this person in the tray (rejected or parked). */
  parked: number;
  /** Changes that met another change of a guarded field. */
  conflicts: number;
  /** When this device last reached the server's head, in milliseconds since 1970. */
  lastSynced: number | null;
  user: string;
  /**
   * `restoring`: this device had data before and its storage was emptied, so the copy is being fetched again.
   * `quota`: the disk is full. `storage`: the browser's storage does not answer. `engine`: the engine keeps failing.
   */
  detail?: 'restoring' | 'quota' | 'storage' | 'engine';
};

/** One entry of the tray: a change that is not yet accepted by the server. */
export type Pending = {
  n: number;
  action: string;
  /** An edit of a collaborative text is `{ $edit }`, and says what was typed as `$words`. */
  args: Record<string, any>;
  /** The first record it is about. */
  collection?: string;
  id?: string;
  /** When the person made it, in milliseconds since 1970. */
  at: number;
  state: 'saving' | 'queued' | 'sending' | 'conflict' | 'rejected' | 'parked';
  code?: string;
  message?: string;
  path?: string;
  /** The fields in conflict. */
  fields?: string[];
  /** The server's values of those fields. */
  current?: Record<string, Value>;
  /** For `parked`: the number of the change it waits for. */
  dependsOn?: number;
  /** A short description of the change in words. */
  label: string;
};

/** One change of a text. Places and lengths are in UTF-16 units, as in JavaScript strings; each stands on the changes before it. */
export type TextChange = { at: number; deleted: number; inserted: string };

/** What happened to a text. `isLocal`: by this handle, not by others. */
export type TextEvent = { value: string; changes: TextChange[]; isLocal: boolean };

/** Somebody else who is in the text. Places are as near as they can be told: their words may still be on the way. */
export type TextPresence = { session: string; user: string; name: string; cursor: number; anchor: number };

/**
 * A collaborative text, open for writing. Edits show at once and go to the disk as one change for each pause of 300 ms, at latest
 * every second, and at once when the page is hidden or the text closed. An edit costs its own length, not the text's.
 * Places outside the text throw RangeError; half a surrogate pair becomes U+FFFD.
 */
export interface SharedText {
  readonly value: string;
  readonly length: number;
  insert(at: number, text: string): void;
  delete(at: number, length: number): void;
  /** Makes the text another one by the smallest single edit. */
  replace(text: string): void;
  /** Calls `fn` after each change, own or others'. Returns a function that stops it. */
  subscribe(fn: (event: TextEvent) => void): () => void;

  /** Takes the newest own edits back, and makes them again; others' words stay. Answers where that ended, null when there was nothing. */
  undo(): number | null;
  redo(): number | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;

  /** `saved`: every word is on the disk. `refused`: some were not accepted, see `onRefused`; until later ones are. */
  readonly status: 'saved' | 'saving' | 'refused';
  onStatus(fn: (status: SharedText['status']) => void): () => void;
  /**
   * Edits were not accepted: the person may not write here any more, the record is gone, or the change was discarded from the tray.
   * The text goes on from what this device holds, with words that were not sent yet; `text` is what it was before, for the person to
   * copy from.
   */
  onRefused(fn: (refusal: { text: string; code: string; message: string }) => void): () => void;
  /** Saves what was typed now; resolves when it is on the disk. */
  flush(): Promise<void>;

  /**
   * Keeps a text area and the text the same: selection and scroll stay when others write, words being composed are left in peace,
   * Ctrl+Z takes back own edits only. Others' cursors are shown over it and named in one line below, which `::part(presence)` styles.
   * `cursors: false` leaves both out; `words` says the line in your language. Returns a function that unbinds.
   */
  bind(area: HTMLTextAreaElement, options?: { cursors?: boolean; words?: (names: string[]) => string }): () => void;

  /** Who else has a cursor here, as told within the last half minute. */
  readonly presence: TextPresence[];
  onPresence(fn: (others: TextPresence[]) => void): () => void;
  /** Tells others where this person's cursor is; null when it has left. `bind` does so by itself. */
  point(cursor: number | null, anchor?: number): void;

  /** Saves what is left and lets go. */
  close(): Promise<void>;
}

/** Some text with the marks on all of it: name → value. `bold` and `italic` have the value 'yes', `link` has its address. */
export type RichSpan = { text: string; marks: Record<string, string> };
/** `restyled`: ranges that look another way now, each with all its marks; inserted words that have any are among them. */
export type RichTextEvent = TextEvent & { restyled: { at: number; length: number; marks: Record<string, string> }[] };

/**
 * A collaborative text with marks, open for writing. Like `SharedText`, and undo takes back own marks as well as own words.
 * A mark has a name of 1 to 64 bytes and a value of at most 4,096; a text takes 65,536 of them in its life. Words typed at the end of a
 * mark have it too, unless its name begins with `link` or `comment`. Marks with one name replace each other; where comments may
 * overlap, give each a name of its own: `comment:<id>`. Marks are saved at once, with the words before them.
 */
export interface RichText extends Omit<SharedText, 'subscribe' | 'bind'> {
  /** The text as runs of equal marks. */
  readonly spans: RichSpan[];
  /** The runs between two places. */
  styles(from: number, to: number): RichTextEvent['restyled'];
  /** Puts a mark on the words between two places. */
  mark(from: number, to: number, name: string, value?: string): void;
  /** Takes the marks of that name away between two places, whoever made them. */
  unmark(from: number, to: number, name: string): void;
  subscribe(fn: (event: RichTextEvent) => void): () => void;
  /**
   * Makes an element an editor of the text (`contenteditable`), which draws bold, italic and links to http, https and mail. Ctrl+B, I, K
   * and Z work in it. `toolbar` holds buttons with `data-mark="bold"`, `italic` or `link`: they are pressed when the selection has the
   * mark, and the arrow keys go from one to the next. `askLink` asks for an address: '' takes the link away, null changes nothing.
   */
  bind(element: HTMLElement, options?: {
    cursors?: boolean; words?: (names: string[]) => string; toolbar?: HTMLElement; askLink?: (current: string) => Promise<string | null>;
  }): () => void;
}

/** A change of an action: `create`, `update`, `delete`, `restore`, `resolve`, or one the app declares. */
export type Mutation = { action: string; args: Record<string, any> };

/** A change that was refused before it was stored; `path` names the argument. */
export class AloftError extends Error {
  code: string;
  path: string;
}

export type OpenOptions = {
  /** The app declaration: its URL, or the value itself. Default '/app.json'. */
  app?: string | Record<string, any>;
  /** Origin of the server, '' for the page's own. */
  server?: string;
  /** Whose data to open. Default: the person who signed in last on this device, else 'anyone'. */
  user?: string;
  /** The engine: its URL, or compiled already. Default '/aloft/aloft.wasm'. */
  wasm?: string | WebAssembly.Module;
  /** The module of collaborative text, loaded when the app declares a field of type `text` or `richText`. Default '/aloft/text.wasm'. */
  text?: string | WebAssembly.Module;
  /** `false` leaves the network alone (tests, exports). Default true. */
  sync?: boolean;
};

/**
 * Opens the local database of one person, offline or not, and keeps it in step with the server while it is open.
 * Cost: one read of the person's local data; the network is never waited for.
 * Fails when the app declaration or the engine cannot be loaded, or when the browser's storage stays shut after three tries.
 */
export function open(options?: OpenOptions): Promise<Database>;

export interface Database {
  /** The app's name and the person whose data this is. */
  readonly app: string;
  readonly user: string;

  /** Makes a record. Throws AloftError when a field does not fit the declaration. */
  create(collection: string, fields: Record<string, any>, options?: { id?: string }): Handle;
  /** Changes fields; besides values: `increment(n)`, `add(...)`, `remove(...)`. */
  update(collection: string, id: string, changes: Record<string, any>): Handle;
  delete(collection: string, id: string): Handle;
  /** Brings a deleted record back. */
  restore(collection: string, id: string): Handle;
  /** Settles `manual` fields that hold several candidates. */
  resolve(collection: string, id: string, fields: Record<string, any>): Handle;
  /** Runs an action that the app declares. */
  run(action: string, args: Record<string, any>): Handle;
  /**
   * Many changes at once, in order; each is judged on its own. Cheap up to hundreds of thousands.
   * Throws AloftError at the first that does not fit the declaration; of 20,000 and more, whole parts before it may have been taken.
   */
  mutate(mutations: Mutation[]): Handle[];

  /**
   * Opens a field of type `text` for writing: several people, tabs and devices may write in it at once, online or not, and all words
   * stay. Works at once, also for a record that is still to come. Close it when its editor goes.
   * Throws AloftError `unavailable` when the app declares no such field, or in a worker.
   */
  text(collection: string, id: string, field: string): SharedText;
  /** The same for a field of type `richText`. `text` opens such a field too, for its words alone. */
  richText(collection: string, id: string, field: string): RichText;
  /** Saves what was typed in open texts; resolves when it is on the disk. Needed by nobody but who measures or is about to leave. */
  flush(): Promise<void>;

  get(collection: string, id: string): Promise<Row | null>;
  /** Rows in order, or a number when the query counts or sums. Reads memory only. */
  query<T = Row[]>(query: Query): Promise<T>;
  /**
   * Calls `fn` with the result now (after this call returned) and after each change of it. Throws AloftError for a bad query.
   * The array is new each time; rows that did not change are the same objects.
   */
  subscribe<T = Row[]>(query: Query, fn: (result: T) => void): () => void;

  readonly status: Status;
  /** Calls `fn` with the present status (after this call returned) and with each change of it. */
  onStatus(fn: (status: Status) => void): () => void;
  /** The tray: changes the server has not accepted, oldest first. */
  pending(): Promise<Pending[]>;
  /** Calls `fn` now and whenever the tray changes. */
  onPending(fn: (pending: Pending[]) => void): () => void;

  /** Offers a rejected or parked change to the server again. */
  retry(n: number): void;
  /** Replaces the arguments of a rejected or parked change and offers it again. */
  edit(n: number, args: Record<string, any>): void;
  /** Drops a rejected or parked change for good. One that is still on its way cannot be called back: throws AloftError `unknown`. */
  discard(n: number): void;
  /** Settles a conflict with this device's version, made anew on top of the server's. */
  keepMine(n: number): void;
  /** Settles a conflict with the server's version. */
  keepTheirs(n: number): void;

  /** Asks for a round with the server now; resolves when the device is in step or the round has failed. */
  sync(): Promise<Status>;
  /** Stops following and releases everything. Changes already made are saved first. */
  close(): Promise<void>;
}

/** A change of a `counter` field. */
export function increment(by?: number): { $increment: number };
/** Members to add to a `set` field. */
export function add(...members: Array<string | number | boolean>): { $add: unknown[] };
/** Members to take from a `set` field. */
export function remove(...members: Array<string | number | boolean>): { $remove: unknown[] };

// ---- '/aloft/session.js' (also exported from aloft.js) ----

export type User = { user: string; name: string; roles: Array<{ role: string; scope: string }> | string[] };

/** Why signing in did not work: `refused` (wrong name or password), `tooMany`, `offline`, `portal` (a login page of the network answered). */
export class SessionError extends Error {
  code: 'refused' | 'tooMany' | 'offline' | 'portal' | 'unsynced';
  /** For `unsynced`: how many changes would be lost. */
  count?: number;
}

/** Signs in on the server and remembers the person on this device: on its disk when this resolves. Throws SessionError. */
export function signIn(options: { user: string; password: string; server?: string }): Promise<User>;
/**
 * Signs out: refuses with SessionError `unsynced` and the count while unsynced changes exist, unless `discard` is true;
 * then wipes this person's database and data caches on this device and tells the other tabs.
 */
export function signOut(db: Database | null, options?: { discard?: boolean; server?: string }): Promise<void>;
/** The person who signed in last on this device, without asking the network; asks the server when nobody is remembered. */
export function currentUser(options?: { server?: string }): Promise<User | null>;
/** Calls `fn(user)` when somebody signs in, and `fn(null)` when somebody signs out, in any tab. */
export function onSession(fn: (user: User | null) => void): () => void;

// ---- '/aloft/install.js' (also exported from aloft.js) ----

export type Installation = {
  /** Looks for a new version now; resolves with true when one is ready. */
  check(): Promise<boolean>;
  /** The version of the files that serve this page, null without a service worker. */
  version(): Promise<string | null>;
};

/**
 * Registers the service worker (a module), so that the app opens without a network.
 * `onUpdate(apply)` is called when a new version is completely on the device; `apply()` switches to it and reloads this page.
 * Without a call of `apply` the next start of the app uses it. Resolves with null where service workers do not exist.
 */
export function install(options?: {
  /** The app's own worker file, which calls `start()` of '/aloft/sw.js'. Default '/sw.js'. */
  url?: string;
  onUpdate?: (apply: () => void) => void;
  /** Called when a required file could not be fetched or did not match its hash; the version in use stays. */
  onProblem?: (problem: { url: string; reason: string }) => void;
}): Promise<Installation | null>;
