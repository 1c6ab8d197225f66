// SPDX-License-Identifier: Apache-2.0
// Who typed which event: agents, their own numbering of their events, and the way between that and this replica's numbers.

/// The authors of a text's events. An event's name for all replicas is its agent and a number that counts 0, 1, 2 … per agent.
struct TextAgents: Sendable {
  /// A document has at most this many agents: a limit on what a hostile message can cost.
  static let countMax = 65_536

  /// In the order in which they were met.
  var ids: [Text] = []
  /// For each agent the number that its next event gets.
  var next = TextColumn()
  /// Agents in the order of their ids' bytes.
  private var sorted = TextColumn()
  /// For each agent its runs, by index.
  private var runsOfAgent: [TextColumn] = []
  /// Runs of consecutive events with consecutive numbers of one agent: first event, agent, first number.
  var runs = TextColumn()
  var runAgents = TextColumn()
  var runNumbers = TextColumn()

  /// The index of an agent; -1 when unknown.
  func find(_ id: Text) -> Int {
    let place = place(of: id)
    return place < sorted.count && ids[sorted[place]].utf8 == id.utf8 ? sorted[place] : -1
  }

  private func place(of id: Text) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) >> 1
      if ids[sorted[middle]] < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The index of an agent, which is added when unknown.
  mutating func add(_ id: Text) throws(TextError) -> Int {
    let place = place(of: id)
    if place < sorted.count, ids[sorted[place]].utf8 == id.utf8 { return sorted[place] }
    if id.utf8.isEmpty || id.utf8.count > 64 { throw .badAgent }
    if ids.count == TextAgents.countMax { throw .tooLarge }
    sorted.insert(ids.count, at: place)
    ids.append(id)
    next.append(0)
    runsOfAgent.append(TextColumn())
    return ids.count - 1
  }

  /// Gives the events from `event` on to an agent, with its next numbers.
  mutating func append(_ agent: Int, _ length: Int, at event: Int) {
    let number = next[agent]
    next[agent] = number + length
    let last = runs.count - 1
    if last >= 0, runAgents[last] == agent, runNumbers[last] + event - runs[last] == number { return }
    runsOfAgent[agent].append(runs.count)
    runs.append(event)
    runAgents.append(agent)
    runNumbers.append(number)
  }

  /// The event with a number of an agent, which must be below the agent's next.
  func event(_ agent: Int, _ number: Int) -> Int {
    var low = 0
    var high = runsOfAgent[agent].count
    while low < high {
      let middle = (low + high) >> 1
      if runNumbers[runsOfAgent[agent][middle]] <= number { low = middle + 1 } else { high = middle }
    }
    let run = runsOfAgent[agent][low - 1]
    return runs[run] + number - runNumbers[run]
  }

  /// Whether an event goes before another that competes for the same place: by the bytes of the agents' ids, then by number.
  func precedes(_ a: Int, _ b: Int) -> Bool {
    let runA = runs.lastIndex(atMost: a)
    let runB = runs.lastIndex(atMost: b)
    if runAgents[runA] != runAgents[runB] { return ids[runAgents[runA]] < ids[runAgents[runB]] }
    return runNumbers[runA] + a - runs[runA] < runNumbers[runB] + b - runs[runB]
  }

  /// Forgets the newest events and agents.
  mutating func truncate(to events: Int, agents: Int, of total: Int) {
    var end = total
    while !runs.isEmpty, end > events {
      let start = runs.last
      let agent = runAgents.last
      next[agent] = next[agent] - (end - max(start, events))
      end = start
      if start < events { break }
      runsOfAgent[agent].truncate(runsOfAgent[agent].count - 1)
      runs.truncate(runs.count - 1)
      runAgents.truncate(runs.count)
      runNumbers.truncate(runs.count)
    }
    while ids.count > agents {
      sorted.remove(at: place(of: ids[ids.count - 1]))
      ids.removeLast()
      next.truncate(ids.count)
      runsOfAgent.removeLast()
    }
  }
}
