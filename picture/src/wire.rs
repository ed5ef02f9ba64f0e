//! The line between a client and the broker: a curve that leaves both level, as a hanging wire does.

use crate::layout::Point;

/// A cubic curve from a client's edge to the broker's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wire {
    pub(crate) from: Point,
    pub(crate) bend: [Point; 2],
    pub(crate) to: Point,
}

impl Wire {
    /// Between the edges of two circles. Upright stages have their wires bend upright.
    pub(crate) fn between(
        client: Point,
        client_radius: f64,
        broker: Point,
        broker_radius: f64,
        is_upright: bool,
    ) -> Self {
        let (dx, dy) = (broker.x - client.x, broker.y - client.y);
        // Someone straight above or below is reached straight.
        let is_aside = if is_upright { dx.abs() > dy.abs() } else { dy.abs() > dx.abs() };
        let lies = is_upright == is_aside;
        let lead = |point: Point, by: f64| match lies {
            true => Point { x: point.x + by * dx, ..point },
            false => Point { y: point.y + by * dy, ..point },
        };
        let from = towards(client, lead(client, 1.0), client_radius);
        // Wires from different sides end at different points of the broker's edge.
        let to = towards(broker, mid(lead(broker, -1.0), client, 0.4), broker_radius);
        let reach = if lies { to.x - from.x } else { to.y - from.y };
        let along = |point: Point, by: f64| match lies {
            true => Point { x: point.x + by * reach, ..point },
            false => Point { y: point.y + by * reach, ..point },
        };
        Self { from, bend: [along(from, 0.5), along(to, -0.5)], to }
    }

    /// The point at a part of the way: 0 at the client, 1 at the broker.
    pub(crate) fn at(&self, part: f64) -> Point {
        let t = part.max(0.0).min(1.0);
        let u = 1.0 - t;
        let weigh = |a: f64, b: f64, c: f64, d: f64| {
            u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
        };
        let [b, c] = self.bend;
        Point { x: weigh(self.from.x, b.x, c.x, self.to.x), y: weigh(self.from.y, b.y, c.y, self.to.y) }
    }
}

fn towards(from: Point, to: Point, distance: f64) -> Point {
    let length = (to.x - from.x).hypot(to.y - from.y);
    if length <= f64::EPSILON { from } else { mid(from, to, distance / length) }
}

fn mid(from: Point, to: Point, part: f64) -> Point {
    Point { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKER: Point = Point { x: 500.0, y: 250.0 };

    #[test]
    fn a_wire_leads_from_edge_to_edge() {
        for client in
            [Point { x: 100.0, y: 80.0 }, Point { x: 500.0, y: 460.0 }, Point { x: 900.0, y: 250.0 }, BROKER]
        {
            let wire = Wire::between(client, 20.0, BROKER, 50.0, false);
            let (start, end) = (wire.at(0.0), wire.at(1.0));
            let from_client = (start.x - client.x).hypot(start.y - client.y);
            let from_broker = (end.x - BROKER.x).hypot(end.y - BROKER.y);
            assert!(client == BROKER || (from_client - 20.0).abs() < 1e-6, "{client:?} {from_client}");
            assert!(client == BROKER || (from_broker - 50.0).abs() < 1e-6, "{client:?} {from_broker}");
        }
    }

    #[test]
    fn a_wire_ends_where_it_should_whatever_part_is_asked_for() {
        let wire = Wire::between(Point { x: 0.0, y: 0.0 }, 10.0, BROKER, 50.0, true);
        assert_eq!((wire.at(-1.0), wire.at(2.0)), (wire.from, wire.to));
    }
}
