//! Marks for the buttons of sites: plain letters of our own, since the sites' logos are theirs.

use super::sites::Site;

/// An SVG with the site's initial.
pub(crate) fn of(site: &Site) -> String {
    let initial = site.display_name.chars().next().unwrap_or('?');
    let initial = initial.to_uppercase();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"24\" height=\"24\" \
         viewBox=\"0 0 24 24\"><rect width=\"24\" height=\"24\" rx=\"6\" fill=\"#475569\"/>\
         <text x=\"12\" y=\"17\" font-family=\"sans-serif\" font-size=\"14\" font-weight=\"600\" \
         text-anchor=\"middle\" fill=\"#fff\">{initial}</text></svg>"
    )
}
