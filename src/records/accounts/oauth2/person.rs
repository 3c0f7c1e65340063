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
struct Pointers {
    id: &'static str,
    name: &'static str,
    username: &'static str,
    avatar_url: &'static str,
    email: &'static str,
}

fn read(raw: &Value, pointers: &Pointers, owns_email: bool) -> Person {
    let at = |pointer: &str| {
        if pointer.is_empty() {
            String::new()
        } else {
            text(raw, pointer)
        }
    };
    Person {
        id: at(pointers.id),
        name: at(pointers.name),
        username: at(pointers.username),
        avatar_url: at(pointers.avatar_url),
        email: at(pointers.email),
        owns_email,
        raw: raw.clone(),
    }
}

const fn at(
    id: &'static str,
    name: &'static str,
    username: &'static str,
    avatar_url: &'static str,
    email: &'static str,
) -> Pointers {
    Pointers {
        id,
        name,
        username,
        avatar_url,
        email,
    }
}

/// What a site said of an account, read. The error says why the account may not sign in.
///
/// Sites that keep addresses apart (GitHub, Bitbucket, Gitee, Gitea) leave the address to
/// [`primary_address`], and VKontakte to its token.
pub(crate) fn of(site: &str, raw: &Value) -> Result<Person, &'static str> {
    let get = |pointers: Pointers, owns_email: bool| Ok(read(raw, &pointers, owns_email));
    match site {
        "google" => claims(raw),
        "microsoft" => get(at("/id", "/displayName", "", "", "/mail"), false),
        "yandex" => Ok(yandex(raw)),
        "facebook" => get(at("/id", "/name", "", "/picture/data/url", "/email"), true),
        "instagram2" => get(
            at("/user_id", "/name", "/username", "/profile_picture_url", ""),
            false,
        ),
        "github" => get(at("/id", "/name", "/login", "/avatar_url", ""), false),
        "gitlab" => {
            let confirmed = !text(raw, "/confirmed_at").is_empty();
            get(
                at("/id", "/name", "/username", "/avatar_url", "/email"),
                confirmed,
            )
        }
        "bitbucket" => active(raw, text(raw, "/account_status") == "active").and_then(|raw| {
            let pointers = at(
                "/uuid",
                "/display_name",
                "/username",
                "/links/avatar/href",
                "",
            );
            Ok(read(raw, &pointers, false))
        }),
        "gitee" => get(at("/id", "/name", "/login", "/avatar_url", ""), false),
        "gitea" => get(at("/id", "/full_name", "/login", "/avatar_url", ""), false),
        "discord" => Ok(discord(raw)),
        "twitter" => get(
            at(
                "/data/id",
                "/data/name",
                "/data/username",
                "/data/profile_image_url",
                "/data/confirmed_email",
            ),
            true,
        ),
        "kakao" => Ok(kakao(raw)),
        "vk" => vk(raw),
        "linear" => active(raw, flag(raw, "/data/viewer/active")).and_then(|raw| {
            let pointers = at(
                "/data/viewer/id",
                "/data/viewer/displayName",
                "/data/viewer/name",
                "/data/viewer/avatarUrl",
                "/data/viewer/email",
            );
            Ok(read(raw, &pointers, true))
        }),
        "notion" => notion(raw),
        "monday" => active(raw, flag(raw, "/data/me/enabled")).and_then(|raw| {
            let pointers = at(
                "/data/me/id",
                "/data/me/name",
                "",
                "/data/me/photo_small",
                "/data/me/email",
            );
            let owns = flag(raw, "/data/me/is_verified");
            Ok(without_unowned(read(raw, &pointers, owns)))
        }),
        other => of_others(other, raw),
    }
}

fn of_others(site: &str, raw: &Value) -> Result<Person, &'static str> {
    let get = |pointers: Pointers, owns_email: bool| Ok(read(raw, &pointers, owns_email));
    match site {
        "lark" => get(
            at(
                "/data/union_id",
                "/data/name",
                "",
                "/data/avatar_big",
                "/data/email",
            ),
            false,
        ),
        "box" => active(raw, text(raw, "/status") == "active").and_then(|raw| {
            let pointers = at("/id", "/name", "", "/avatar_url", "/login");
            Ok(read(raw, &pointers, true))
        }),
        "spotify" => get(at("/id", "/display_name", "", "/images/0/url", ""), false),
        "trakt" => get(
            at(
                "/user/ids/uuid",
                "/user/name",
                "/user/username",
                "/user/images/avatar/full",
                "",
            ),
            false,
        ),
        "twitch" => get(
            at(
                "/data/0/id",
                "/data/0/display_name",
                "/data/0/login",
                "/data/0/profile_image_url",
                "/data/0/email",
            ),
            true,
        ),
        "patreon" => {
            let pointers = at(
                "/data/id",
                "/data/attributes/full_name",
                "/data/attributes/vanity",
                "/data/attributes/image_url",
                "/data/attributes/email",
            );
            let owns = flag(raw, "/data/attributes/is_email_verified");
            Ok(without_unowned(read(raw, &pointers, owns)))
        }
        "strava" => {
            let mut person = read(raw, &at("/id", "", "/username", "/profile", ""), false);
            person.name = joined(raw, "/firstname", "/lastname");
            person.id = Some(person.id).filter(|id| id != "0").unwrap_or_default();
            Ok(person)
        }
        "wakatime" => {
            let pointers = at(
                "/data/id",
                "/data/display_name",
                "/data/username",
                "/data/photo",
                "/data/email",
            );
            let owns = flag(raw, "/data/is_email_confirmed");
            Ok(without_unowned(read(raw, &pointers, owns)))
        }
        "livechat" => {
            let owns = flag(raw, "/email_verified");
            let pointers = at("/account_id", "/name", "", "/avatar_url", "/email");
            Ok(without_unowned(read(raw, &pointers, owns)))
        }
        "mailcow" => {
            let is_active = matches!(text(raw, "/active").as_str(), "1" | "true");
            active(raw, is_active)?;
            let mut person = read(
                raw,
                &at("/id", "/full_name", "/username", "", "/email"),
                true,
            );
            // The name of a mailbox is its address.
            if let Some((name, _)) = person.username.split_once('@') {
                person.username = name.to_owned();
            }
            Ok(person)
        }
        "planningcenter" => {
            active(raw, text(raw, "/data/attributes/status") == "active")?;
            let pointers = at(
                "/data/id",
                "/data/attributes/name",
                "",
                "/data/attributes/avatar",
                "",
            );
            get(pointers, false)
        }
        // Apple's identity token and OpenID providers.
        _ => claims(raw),
    }
}

fn active(raw: &Value, is_active: bool) -> Result<&Value, &'static str> {
    if is_active {
        Ok(raw)
    } else {
        Err("the account is not active")
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
    let verified =
        raw.get("email_verified").is_none_or(Value::is_null) || flag(raw, "/email_verified");
    let pointers = at("/sub", "/name", "/preferred_username", "/picture", "/email");
    Ok(without_unowned(read(raw, &pointers, verified)))
}

fn yandex(raw: &Value) -> Person {
    let pointers = at("/id", "/real_name", "/login", "", "/default_email");
    let mut person = read(raw, &pointers, true);
    let avatar = text(raw, "/default_avatar_id");
    if !flag(raw, "/is_avatar_empty") && !avatar.is_empty() {
        person.avatar_url = format!("https://avatars.yandex.net/get-yapic/{avatar}/islands-200");
    }
    person
}

fn discord(raw: &Value) -> Person {
    let owns = flag(raw, "/verified");
    let mut person = read(
        raw,
        &at("/id", "/username", "/username", "", "/email"),
        owns,
    );
    let (discriminator, avatar) = (text(raw, "/discriminator"), text(raw, "/avatar"));
    // Accounts of the new kind have no number.
    if !matches!(discriminator.as_str(), "" | "0") {
        person.name = format!("{}#{discriminator}", person.username);
    }
    if !avatar.is_empty() {
        person.avatar_url = format!(
            "https://cdn.discordapp.com/avatars/{}/{avatar}.png",
            person.id
        );
    }
    without_unowned(person)
}

fn kakao(raw: &Value) -> Person {
    let owns =
        flag(raw, "/kakao_account/is_email_valid") && flag(raw, "/kakao_account/is_email_verified");
    let pointers = at(
        "/id",
        "",
        "/properties/nickname",
        "/properties/profile_image",
        "/kakao_account/email",
    );
    without_unowned(read(raw, &pointers, owns))
}

fn vk(raw: &Value) -> Result<Person, &'static str> {
    if raw.pointer("/response/0").is_none() {
        return Err("the answer names no account");
    }
    let pointers = at(
        "/response/0/id",
        "",
        "/response/0/screen_name",
        "/response/0/photo_max",
        "",
    );
    let mut person = read(raw, &pointers, false);
    person.name = joined(raw, "/response/0/first_name", "/response/0/last_name");
    Ok(person)
}

fn notion(raw: &Value) -> Result<Person, &'static str> {
    if text(raw, "/bot/owner/type") == "workspace" {
        return Err("the integration belongs to a workspace and to no person");
    }
    let pointers = at(
        "/bot/owner/user/id",
        "/bot/owner/user/name",
        "",
        "/bot/owner/user/avatar_url",
        "/bot/owner/user/person/email",
    );
    Ok(read(raw, &pointers, true))
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
