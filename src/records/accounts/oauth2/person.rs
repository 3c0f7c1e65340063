//! What a site says of an account, in one form for all sites.
//!
//! An address counts as the person's only where the site vouches for it: accounts here are linked by
//! it. Where a site shows addresses that anybody could have entered, it is taken over as one that is
//! not verified.

use serde_json::Value;

/// An account of another site.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    /// The site's id of the account.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) username: String,
    /// Empty when the site tells none.
    pub(crate) email: String,
    /// Whether the site has made sure that the address is the person's.
    pub(crate) owns_email: bool,
    pub(crate) avatar_url: String,
    /// What the site said.
    pub(crate) raw: Value,
}

/// The value at a JSON pointer as text; empty when it is absent or null.
fn text(raw: &Value, pointer: &str) -> String {
    match raw.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ => String::new(),
    }
}

/// Whether the value at a JSON pointer is true; some sites write it as text.
fn flag(raw: &Value, pointer: &str) -> bool {
    text(raw, pointer) == "true"
}

/// Where the parts of a person stand in a site's answer; an empty pointer is nowhere.
struct Layout {
    id: &'static str,
    name: &'static str,
    username: &'static str,
    avatar_url: &'static str,
    email: &'static str,
    owns: Owns,
    /// What an account that may sign in has.
    active: Option<(&'static str, &'static str)>,
}

/// Whether an address is the person's.
#[derive(Clone, Copy)]
enum Owns {
    /// The site shows no others.
    Always,
    /// The site does not say.
    Unsaid,
    /// Where this is true; another address is none.
    If(&'static str),
    /// Where this is there.
    IfPresent(&'static str),
}

const fn at(
    [id, name, username, avatar_url, email]: [&'static str; 5],
    owns: Owns,
    active: Option<(&'static str, &'static str)>,
) -> Layout {
    Layout {
        id,
        name,
        username,
        avatar_url,
        email,
        owns,
        active,
    }
}

/// Answers that need no more than pointers.
fn layout(site: &str) -> Option<Layout> {
    use Owns::{Always, If, IfPresent, Unsaid};
    const CODE: [&str; 5] = ["/id", "/name", "/login", "/avatar_url", ""];
    Some(match site {
        "microsoft" => at(["/id", "/displayName", "", "", "/mail"], Unsaid, None),
        "facebook" => {
            let pointers = ["/id", "/name", "", "/picture/data/url", "/email"];
            at(pointers, Always, None)
        }
        "instagram2" => {
            let pointers = ["/user_id", "/name", "/username", "/profile_picture_url", ""];
            at(pointers, Unsaid, None)
        }
        "github" | "gitee" => at(CODE, Unsaid, None),
        "gitea" => at(
            ["/id", "/full_name", "/login", "/avatar_url", ""],
            Unsaid,
            None,
        ),
        "gitlab" => {
            let pointers = ["/id", "/name", "/username", "/avatar_url", "/email"];
            at(pointers, IfPresent("/confirmed_at"), None)
        }
        "bitbucket" => at(
            [
                "/uuid",
                "/display_name",
                "/username",
                "/links/avatar/href",
                "",
            ],
            Unsaid,
            Some(("/account_status", "active")),
        ),
        "twitter" => at(
            [
                "/data/id",
                "/data/name",
                "/data/username",
                "/data/profile_image_url",
                "/data/confirmed_email",
            ],
            Always,
            None,
        ),
        "linear" => at(
            [
                "/data/viewer/id",
                "/data/viewer/displayName",
                "/data/viewer/name",
                "/data/viewer/avatarUrl",
                "/data/viewer/email",
            ],
            Always,
            Some(("/data/viewer/active", "true")),
        ),
        "monday" => at(
            [
                "/data/me/id",
                "/data/me/name",
                "",
                "/data/me/photo_small",
                "/data/me/email",
            ],
            If("/data/me/is_verified"),
            Some(("/data/me/enabled", "true")),
        ),
        "box" => at(
            ["/id", "/name", "", "/avatar_url", "/login"],
            Always,
            Some(("/status", "active")),
        ),
        "spotify" => at(
            ["/id", "/display_name", "", "/images/0/url", ""],
            Unsaid,
            None,
        ),
        other => return layout_of_others(other),
    })
}

const NOTION: Layout = at(
    [
        "/bot/owner/user/id",
        "/bot/owner/user/name",
        "",
        "/bot/owner/user/avatar_url",
        "/bot/owner/user/person/email",
    ],
    Owns::Always,
    Some(("/bot/owner/type", "user")),
);

fn layout_of_others(site: &str) -> Option<Layout> {
    use Owns::{Always, If, Unsaid};
    Some(match site {
        "lark" => at(
            [
                "/data/union_id",
                "/data/name",
                "",
                "/data/avatar_big",
                "/data/email",
            ],
            Unsaid,
            None,
        ),
        "trakt" => at(
            [
                "/user/ids/uuid",
                "/user/name",
                "/user/username",
                "/user/images/avatar/full",
                "",
            ],
            Unsaid,
            None,
        ),
        "twitch" => at(
            [
                "/data/0/id",
                "/data/0/display_name",
                "/data/0/login",
                "/data/0/profile_image_url",
                "/data/0/email",
            ],
            Always,
            None,
        ),
        "patreon" => at(
            [
                "/data/id",
                "/data/attributes/full_name",
                "/data/attributes/vanity",
                "/data/attributes/image_url",
                "/data/attributes/email",
            ],
            If("/data/attributes/is_email_verified"),
            None,
        ),
        "wakatime" => at(
            [
                "/data/id",
                "/data/display_name",
                "/data/username",
                "/data/photo",
                "/data/email",
            ],
            If("/data/is_email_confirmed"),
            None,
        ),
        "livechat" => at(
            ["/account_id", "/name", "", "/avatar_url", "/email"],
            If("/email_verified"),
            None,
        ),
        "planningcenter" => at(
            [
                "/data/id",
                "/data/attributes/name",
                "",
                "/data/attributes/avatar",
                "",
            ],
            Unsaid,
            Some(("/data/attributes/status", "active")),
        ),
        "notion" => NOTION,
        _ => return None,
    })
}

fn read(raw: &Value, layout: &Layout) -> Result<Person, &'static str> {
    if layout
        .active
        .is_some_and(|(pointer, wanted)| text(raw, pointer) != wanted)
    {
        return Err(INACTIVE);
    }
    let (owns_email, or_none) = match layout.owns {
        Owns::Always => (true, false),
        Owns::Unsaid => (false, false),
        Owns::If(pointer) => (flag(raw, pointer), true),
        Owns::IfPresent(pointer) => (!text(raw, pointer).is_empty(), false),
    };
    let part = |pointer: &str| match pointer {
        "" => String::new(),
        pointer => text(raw, pointer),
    };
    let person = Person {
        id: part(layout.id),
        name: part(layout.name),
        username: part(layout.username),
        avatar_url: part(layout.avatar_url),
        email: part(layout.email),
        owns_email,
        raw: raw.clone(),
    };
    Ok(if or_none {
        without_unowned(person)
    } else {
        person
    })
}

const INACTIVE: &str = "the account is not active";

/// What a site said of an account, read. The error says why the account may not sign in.
///
/// Sites that keep addresses apart (GitHub, Bitbucket, Gitee, Gitea) leave the address to
/// [`primary_address`], and VKontakte to its token.
pub(crate) fn of(site: &str, raw: &Value) -> Result<Person, &'static str> {
    if let Some(layout) = layout(site) {
        return read(raw, &layout);
    }
    match site {
        "yandex" => yandex(raw),
        "discord" => discord(raw),
        "kakao" => kakao(raw),
        "vk" => vk(raw),
        "strava" => strava(raw),
        "mailcow" => mailcow(raw),
        // Google, Apple's identity token and OpenID providers.
        _ => claims(raw),
    }
}

/// An address that is not the person's is none.
fn without_unowned(mut person: Person) -> Person {
    if !person.owns_email {
        person.email.clear();
    }
    person
}

/// The standard claims of OpenID (OpenID Connect Core §5.1). An address is the person's unless the
/// provider says that it is not verified.
fn claims(raw: &Value) -> Result<Person, &'static str> {
    let pointers = ["/sub", "/name", "/preferred_username", "/picture", "/email"];
    let says = raw
        .get("email_verified")
        .is_some_and(|value| !value.is_null());
    let owns = if says {
        Owns::If("/email_verified")
    } else {
        Owns::Always
    };
    read(raw, &at(pointers, owns, None))
}

fn yandex(raw: &Value) -> Result<Person, &'static str> {
    let pointers = ["/id", "/real_name", "/login", "", "/default_email"];
    let mut person = read(raw, &at(pointers, Owns::Always, None))?;
    let avatar = text(raw, "/default_avatar_id");
    if !flag(raw, "/is_avatar_empty") && !avatar.is_empty() {
        person.avatar_url = format!("https://avatars.yandex.net/get-yapic/{avatar}/islands-200");
    }
    Ok(person)
}

fn discord(raw: &Value) -> Result<Person, &'static str> {
    let pointers = ["/id", "/username", "/username", "", "/email"];
    let mut person = read(raw, &at(pointers, Owns::If("/verified"), None))?;
    let (discriminator, avatar) = (text(raw, "/discriminator"), text(raw, "/avatar"));
    // Accounts of the new kind have no number.
    if !matches!(discriminator.as_str(), "" | "0") {
        person.name = format!("{}#{discriminator}", person.username);
    }
    if !avatar.is_empty() {
        let id = &person.id;
        person.avatar_url = format!("https://cdn.discordapp.com/avatars/{id}/{avatar}.png");
    }
    Ok(person)
}

fn kakao(raw: &Value) -> Result<Person, &'static str> {
    let pointers = [
        "/id",
        "",
        "/properties/nickname",
        "/properties/profile_image",
        "/kakao_account/email",
    ];
    let verified = Owns::If("/kakao_account/is_email_verified");
    let mut person = read(raw, &at(pointers, verified, None))?;
    person.owns_email &= flag(raw, "/kakao_account/is_email_valid");
    Ok(without_unowned(person))
}

fn vk(raw: &Value) -> Result<Person, &'static str> {
    let pointers = [
        "/response/0/id",
        "",
        "/response/0/screen_name",
        "/response/0/photo_max",
        "",
    ];
    let mut person = read(raw, &at(pointers, Owns::Unsaid, None))?;
    person.name = joined(raw, "/response/0/first_name", "/response/0/last_name");
    Ok(person)
}

fn strava(raw: &Value) -> Result<Person, &'static str> {
    let pointers = ["/id", "", "/username", "/profile", ""];
    let mut person = read(raw, &at(pointers, Owns::Unsaid, None))?;
    person.name = joined(raw, "/firstname", "/lastname");
    person.id = Some(person.id).filter(|id| id != "0").unwrap_or_default();
    Ok(person)
}

fn mailcow(raw: &Value) -> Result<Person, &'static str> {
    if !matches!(text(raw, "/active").as_str(), "1" | "true") {
        return Err(INACTIVE);
    }
    let pointers = ["/id", "/full_name", "/username", "", "/email"];
    let mut person = read(raw, &at(pointers, Owns::Always, None))?;
    // The name of a mailbox is its address.
    if let Some((name, _)) = person.username.split_once('@') {
        person.username = name.to_owned();
    }
    Ok(person)
}

fn joined(raw: &Value, first: &str, last: &str) -> String {
    let name = format!("{} {}", text(raw, first), text(raw, last));
    name.trim().to_owned()
}

/// The address, out of a list, that is the person's first and that the site has verified.
pub(crate) fn primary_address(site: &str, list: &Value) -> Option<String> {
    let list = match site {
        "bitbucket" => list.get("values")?,
        _ => list,
    };
    let is_primary = |entry: &Value| match site {
        "bitbucket" => flag(entry, "/is_primary") && flag(entry, "/is_confirmed"),
        "gitee" => {
            let scopes = entry.get("scope").and_then(Value::as_array);
            let primary =
                scopes.is_some_and(|scopes| scopes.iter().any(|scope| scope == "primary"));
            primary && text(entry, "/state") == "confirmed"
        }
        _ => flag(entry, "/primary") && flag(entry, "/verified"),
    };
    let entry = list.as_array()?.iter().find(|entry| is_primary(entry))?;
    Some(text(entry, "/email")).filter(|email| !email.is_empty())
}
