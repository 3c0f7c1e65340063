//! `geoDistance(lonA, latA, lonB, latB)` and `strftime(format, time, modifiers…)`.

use mito_database::Value;

use crate::filter::{
    Problem,
    ast::Operand as Written,
    plan::{Expression, Operand},
    resolve::{Found, Resolver, Site},
};

impl Resolver<'_, '_> {
    /// The meaning of a call.
    pub(super) fn function(
        &mut self,
        name: &str,
        arguments: &[Written],
        site: Site,
    ) -> Result<Found, Problem> {
        match name {
            "geoDistance" => self.distance(arguments, site),
            "strftime" => self.time(arguments, site),
            _ => Err(Problem::Invalid(format!("unknown function {name:?}"))),
        }
    }

    fn distance(&mut self, arguments: &[Written], site: Site) -> Result<Found, Problem> {
        let [lon_a, lat_a, lon_b, lat_b] = arguments else {
            let found = arguments.len();
            return Err(Problem::Invalid(format!(
                "[geoDistance] expected 4 arguments, got {found}"
            )));
        };
        let mut point = |argument: &Written| match argument {
            Written::Text(_) | Written::Function(..) => Err(Problem::Invalid(
                "[geoDistance] expected an identifier or a number".to_owned(),
            )),
            other => self.operand(other, site),
        };
        let points = [point(lon_a)?, point(lat_a)?, point(lon_b)?, point(lat_b)?];
        // Who may not compare an address may not measure it either.
        let email = points.iter().find_map(|point| point.email);
        let points = points.map(|point| point.operand.expression);
        Ok(Found {
            operand: Operand {
                expression: Expression::Distance(Box::new(points)),
                chain: Vec::new(),
                exact: false,
                plain: false,
            },
            email,
        })
    }

    fn time(&mut self, arguments: &[Written], site: Site) -> Result<Found, Problem> {
        let invalid = |reason: &str| Err(Problem::Invalid(format!("[strftime] {reason}")));
        let Some((Written::Text(format), rest)) = arguments.split_first() else {
            return invalid("expected the first argument to be a format in quotes");
        };
        let now = Written::Text("now".to_owned());
        let (at, modifiers) = rest.split_first().unwrap_or((&now, &[]));
        let mut texts = Vec::with_capacity(modifiers.len());
        for modifier in modifiers {
            let Written::Text(text) = modifier else {
                return invalid("expected the modifiers to be texts in quotes");
            };
            texts.push(text.clone());
        }
        let found = match at {
            Written::Text(text) if text.eq_ignore_ascii_case("now") => self.name("@now", site)?,
            Written::Function(..) => return invalid("expected a time"),
            other => self.operand(other, site)?,
        };
        if found.operand.constant() == Some(&Value::Null) {
            return Ok(Operand::value(Value::Null).into());
        }
        Ok(Found {
            operand: Operand {
                expression: Expression::Time {
                    format: format.clone(),
                    at: Box::new(found.operand.expression),
                    modifiers: texts,
                },
                chain: found.operand.chain,
                exact: false,
                plain: false,
            },
            email: found.email,
        })
    }
}
