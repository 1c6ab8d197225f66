// SPDX-License-Identifier: Apache-2.0
// The invented stores, visits and products of the demo. The same at every start, whatever the day; only dates follow the clock.

import AloftCore

/// One record to make: its collection, id and fields, the fields as JSON text.
struct DemoRecord {
  var collection: String
  var id: String
  var fields: [(name: String, json: String)]
}

enum DemoData {
  static let storesPerTeam = 40
  static let visitCount = 60
  static let productCount = 30

  /// Everything, parents before children. `now` in milliseconds since 1970.
  static func records(now: Instant) -> [DemoRecord] {
    var random = Random(seed: 20_261)
    return teams + stores + visits(now: now, &random) + products(&random)
  }

  private static let teams = [
    DemoRecord(collection: "teams", id: "north", fields: [("name", text("North"))]),
    DemoRecord(collection: "teams", id: "south", fields: [("name", text("South"))]),
  ]

  private static let stores = ["north", "south"].flatMap { team in
    (0..<storesPerTeam).map { index in
      let towns = team == "north" ? northTowns : southTowns
      let offset = team == "north" ? 0 : 17
      let name = owners[(index + offset) % owners.count] + " " + kinds[(index * 7 + offset) % kinds.count]
      let street = streets[(index * 3 + offset) % streets.count]
      return DemoRecord(
        collection: "stores", id: storeID(team, index),
        fields: [
          ("team", text(team)), ("name", text(name)), ("city", text(towns[index % towns.count])),
          ("address", text("\((index * 13 + offset) % 180 + 2) \(street)")),
          ("phone", text("+44 1632 960\(padded(index + (team == "north" ? 100 : 400)))")),
        ])
    }
  }

  private static func visits(now: Instant, _ random: inout Random) -> [DemoRecord] {
    let day: Instant = 86_400_000
    let midnight = now - now % day
    return (0..<visitCount).map { index in
      let team = index % 2 == 0 ? "north" : "south"
      let store = storeID(team, Int(random.below(UInt64(storesPerTeam))))
      // A third lies in the past and is closed, the rest is spread over the next ten days, between 8 and 17 o'clock.
      let isClosed = index < visitCount / 3
      let hour = 8 + random.below(9)
      let days = Instant(index % 10 + 1)
      let planned = (isClosed ? midnight - days * day : midnight + (days - 1) * day) + hour * 3_600_000
      let purpose = purposes[Int(random.below(UInt64(purposes.count)))]
      var fields = [
        ("team", text(team)), ("store", text(store)), ("title", text(purpose)), ("status", text(isClosed ? "closed" : "open")),
        ("planned", String(planned)), ("tags", list(pick(tags, 1 + Int(random.below(3)), &random))),
        ("notes", text(notes[Int(random.below(UInt64(notes.count)))])),
      ]
      if isClosed {
        fields.append(("summary", text(summaries[Int(random.below(UInt64(summaries.count)))])))
        fields.append(("footfall", String(random.below(180) + 20)))
      }
      return DemoRecord(collection: "visits", id: "visit-\(padded(index + 1))", fields: fields)
    }
  }

  private static func products(_ random: inout Random) -> [DemoRecord] {
    (0..<productCount).map { index in
      let product = productNames[index % productNames.count]
      return DemoRecord(
        collection: "products", id: "product-\(padded(index + 1))",
        fields: [
          ("name", text(product.name)), ("sku", text("\(product.category.prefix(3).uppercased())-\(1_000 + index * 7)")),
          ("category", text(product.category)), ("price", String(product.cents)), ("stock", String(random.below(220) + 12)),
        ])
    }
  }

  private static func storeID(_ team: String, _ index: Int) -> String { "store-\(team)-\(padded(index + 1))" }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
  }

  private static func pick(_ words: [String], _ count: Int, _ random: inout Random) -> [String] {
    var picked: [String] = []
    while picked.count < count {
      let word = words[Int(random.below(UInt64(words.count)))]
      if !picked.contains(word) { picked.append(word) }
    }
    return picked
  }

  /// The words below hold no character that JSON would need to escape.
  private static func text(_ value: String) -> String { "\"\(value)\"" }
  private static func list(_ values: [String]) -> String { "[" + values.map(text).joined(separator: ",") + "]" }
}

extension DemoData {
  private static let owners = [
    "Abbott’s", "Barnaby", "Calder", "Dunmore", "Elsie’s", "Fairweather", "Gilchrist", "Hartley", "Ingram", "Juniper", "Kestrel",
    "Lowther", "Marlow", "Nightingale", "Oakfield", "Pemberton", "Quayside", "Rowan", "Sefton", "Thistle", "Underhill", "Vale",
    "Wainwright", "Yarrow",
  ]
  private static let kinds = ["Grocers", "Corner Shop", "Market", "Pantry", "Wholefoods", "Deli", "Stores", "Food Hall", "Express"]
  private static let streets = [
    "High Street", "Station Road", "Mill Lane", "Church Street", "Bridge Street", "Castle Row", "Harbour View", "Orchard Way",
    "Market Place", "Victoria Road", "Kings Parade",
  ]
  private static let northTowns = ["Alderwick", "Brackenford", "Coldstow", "Draymoor", "Eskbridge", "Fellgate", "Garrowby", "Hexworth"]
  private static let southTowns = ["Ashcombe", "Bellhurst", "Chalkwell", "Dunsford", "Eastmere", "Fernleigh", "Goldhanger", "Havenstoke"]
  private static let purposes = [
    "Shelf check and restock", "Spring promotion set-up", "Quarterly review", "New range introduction", "Price label audit",
    "Display rebuild", "Stock count", "Complaint follow-up", "First visit", "Tasting event", "Delivery check",
  ]
  private static let tags = ["priority", "promo", "new range", "display", "cold chain", "restock", "owner present", "training"]
  private static let notes = [
    "Ask for the owner; deliveries come in through the yard.", "The back room has no signal. Count the chilled shelf first.",
    "Bring new price labels and two display stands.", "Closed from one to two. Park behind the chemist.",
    "Wants to see the autumn range before ordering.", "Shelf space by the till is free from next week.",
    "Last visit: two cases of oat drink past their date.", "New assistant manager, started this month.",
  ]
  private static let summaries = [
    "Restocked both bays, moved the promotion to eye level. Owner agreed to six weeks.",
    "Counted everything; three lines short. Order placed on the spot.",
    "Labels corrected on eleven products. No complaints.",
    "Good talk about the new range; a first order of four cases follows.",
    "Display rebuilt after the refit. Photos to follow.",
  ]
  private static let productNames: [(name: String, category: String, cents: Int)] = [
    ("Oat Drink 1 l", "Drinks", 189), ("Apple Juice 1 l", "Drinks", 245), ("Ginger Beer 330 ml", "Drinks", 139),
    ("Sparkling Water 6 × 1.5 l", "Drinks", 399), ("Cold Brew Coffee 250 ml", "Drinks", 229), ("Elderflower Cordial 500 ml", "Drinks", 379),
    ("Sourdough Loaf", "Bakery", 320), ("Seeded Rolls, six", "Bakery", 210), ("Oat Biscuits 200 g", "Bakery", 175),
    ("Fruit Scones, four", "Bakery", 195), ("Rye Crackers 150 g", "Bakery", 185), ("Cheddar, mature 350 g", "Chilled", 429),
    ("Natural Yoghurt 500 g", "Chilled", 165), ("Butter, salted 250 g", "Chilled", 249), ("Free-range Eggs, ten", "Chilled", 310),
    ("Hummus 200 g", "Chilled", 179), ("Fresh Pesto 150 g", "Chilled", 259), ("Carrots 1 kg", "Produce", 89),
    ("Braeburn Apples, six", "Produce", 199), ("Vine Tomatoes 500 g", "Produce", 229), ("Baby Spinach 200 g", "Produce", 169),
    ("New Potatoes 1 kg", "Produce", 145), ("Red Lentils 500 g", "Pantry", 155), ("Penne 500 g", "Pantry", 119),
    ("Olive Oil 500 ml", "Pantry", 649), ("Chopped Tomatoes 400 g", "Pantry", 79), ("Clear Honey 340 g", "Pantry", 389),
    ("Peanut Butter 280 g", "Pantry", 265), ("Washing-up Liquid 500 ml", "Household", 149), ("Kitchen Towel, four", "Household", 359),
  ]
}
